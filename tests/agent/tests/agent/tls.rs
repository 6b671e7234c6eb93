//! TLS: always verified, by the system's authorities or by the configured ones.

use std::time::Duration;

use agent_tests::{Node, Run, SimulatedWorld, each};
use aws_sim::{Tls, Validity};

use crate::trouble::SHORT_MS;

/// A world with EC2 behind TLS.
pub(crate) struct BehindTls {
    pub(crate) world: SimulatedWorld,
    pub(crate) node: Node,
    pub(crate) tls: Tls,
    pub(crate) port: u16,
    /// File with its authority's certificate.
    ca: String,
}

impl BehindTls {
    /// With a valid certificate.
    pub(crate) fn new() -> Self {
        Self::with(Tls::new(&["localhost"], Validity::Now).unwrap())
    }

    fn with(tls: Tls) -> Self {
        let (world, [node]) = SimulatedWorld::new();
        let port = world.sim.serve_ec2_tls(world.bind(), &tls).unwrap().port();
        let ca = world.folder().write("ca.pem", tls.ca_pem()).display().to_string();
        Self { world, node, tls, port, ca }
    }

    /// Makes a run use its EC2 and STS.
    pub(crate) fn at(&self, run: Run) -> Run {
        let url = format!("https://localhost:{}", self.port);
        run.ec2_at(&url).env("AWS_ENDPOINT_URL_STS", url)
    }

    /// Prepares a start that trusts its authority.
    pub(crate) fn start(&self) -> Run {
        self.trusting(&self.ca)
    }

    /// Prepares a start that trusts these authorities.
    fn trusting(&self, bundle: impl ToString) -> Run {
        self.at(self.node.start()).param("ca_bundle", bundle).timeout_ms(SHORT_MS)
    }
}

#[test]
fn an_authority_that_is_named_is_trusted() {
    let behind = BehindTls::new();
    behind.start().ok();
    behind.world.held_by(&behind.node);
    behind.at(behind.node.stop()).env("AWS_CA_BUNDLE", &behind.ca).ok();
    behind.world.is_unassigned();
    let several = behind.tls.ca_pem().to_owned() + Tls::new(&["x"], Validity::Now).unwrap().ca_pem();
    behind.trusting(behind.world.folder().write("several.pem", &several).display()).ok();
}

/// As curl accepts them. RHEL ships a bundle in OpenSSL's form, which appends what a certificate is trusted for.
#[test]
fn a_byte_order_mark_and_trusted_certificates_are_taken() {
    const TRUSTED_FOR_SERVERS: &str = "MAwwCgYIKwYBBQUHAwE=";
    // One without padding, so that the rest can be appended as text.
    let tls = std::iter::repeat_with(|| Tls::new(&["localhost"], Validity::Now).unwrap());
    let behind = BehindTls::with(tls.into_iter().find(|tls| !tls.ca_pem().contains('=')).unwrap());
    let trusted = behind.tls.ca_pem().trim().replace(" CERTIFICATE", " TRUSTED CERTIFICATE");
    let (body, end) = trusted.rsplit_once("-----END").unwrap();
    let trusted = format!("{}\n{TRUSTED_FOR_SERVERS}\n-----END{end}\n", body.trim_end());
    let world = &behind.world;
    for (name, text) in [("bom.pem", behind.tls.ca_pem()), ("trusted.pem", trusted.as_str())] {
        let path = world.folder().write(name, &format!("\u{feff}{text}"));
        behind.trusting(path.display()).ok();
    }
    world.held_by(&behind.node);
    world.cloud.disassociate(&world.address);
    let half = world.folder().write("half.pem", body);
    behind.trusting(half.display()).expect(2).reason("half.pem: TRUSTED CERTIFICATE");
}

/// [cred-3] The server's own certificate does not vouch for itself, although curl accepts it. The matrix has the other defects of
/// certificates.
#[test]
fn a_certificate_without_its_authority_is_refused_to_the_deadline() {
    each([("the system's authorities", false), ("the server's own certificate", true)], |own| {
        let behind = BehindTls::new();
        let run = if own {
            behind.trusting(behind.world.folder().write("own.pem", behind.tls.pem()).display())
        } else {
            behind.at(behind.node.start()).timeout_ms(SHORT_MS)
        };
        let outcome = run.expect(1).reason("certificate");
        outcome.not_before(Duration::from_millis(SHORT_MS / 3)).ec2_calls(0);
        behind.world.is_unassigned();
    });
}

/// [cred-3]
#[test]
fn a_bundle_that_is_not_a_bundle_is_reported_by_name() {
    let behind = BehindTls::new();
    let garbage = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let texts = [("empty.pem", ""), ("garbage.pem", garbage), ("text.pem", "not a certificate\n")];
    let paths = texts.map(|(name, text)| behind.world.folder().write(name, text).display().to_string());
    for path in paths.iter().map(String::as_str).chain(["/no/such/file"]) {
        let outcome = behind.trusting(path).go();
        assert!([1, 2].contains(&outcome.code), "{}", outcome.told());
        outcome.reason("ca_bundle").reason(path.rsplit('/').next().unwrap());
    }
    // It applies to EC2 alone.
    behind.world.give(&behind.node);
    behind.at(behind.node.settled_monitor()).param("ca_bundle", "/no/such/file").ok();
}
