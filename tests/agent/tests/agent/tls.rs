//! TLS: always verified, by the system's authorities or by those that are named.

use agent_tests::{Run, SimulatedWorld, each};
use aws_sim::{Tls, Validity};

use crate::trouble::SHORT_MS;

/// Starts a world whose EC2 has this certificate; returns it with its node, URL and the file of its authority.
fn world(names: &[&str], validity: Validity) -> (SimulatedWorld, agent_tests::Node, String, String) {
    let tls = Tls::new(names, validity).unwrap();
    let (world, [node]) = SimulatedWorld::new();
    let port = world.sim.serve_ec2_tls(world.bind(), &tls).unwrap().port();
    let ca = world.folder().write("ca.pem", tls.ca_pem()).display().to_string();
    world.folder().write("own.pem", tls.pem());
    (world, node, format!("https://localhost:{port}"), ca)
}

#[test]
fn an_authority_that_is_named_is_trusted() {
    let (world, a, url, ca) = world(&["localhost"], Validity::Now);
    a.start().ec2_at(&url).param("ca_bundle", &ca).ok();
    world.held_by(&a);
    a.stop().ec2_at(&url).env("AWS_CA_BUNDLE", &ca).ok();
    world.is_unassigned();
    let several = std::fs::read_to_string(&ca).unwrap() + Tls::new(&["x"], Validity::Now).unwrap().ca_pem();
    let bundle = world.folder().write("several.pem", &several).display().to_string();
    a.start().ec2_at(&url).param("ca_bundle", &bundle).ok();
}

/// As curl takes them. RHEL ships a bundle in the form of OpenSSL, which appends what a certificate is trusted for.
#[test]
fn a_byte_order_mark_and_trusted_certificates_are_taken() {
    const TRUSTED_FOR_SERVERS: &str = "MAwwCgYIKwYBBQUHAwE=";
    // One without padding, so that the rest can be appended as text.
    let tls = std::iter::repeat_with(|| Tls::new(&["localhost"], Validity::Now).unwrap());
    let tls = tls.into_iter().find(|tls| !tls.ca_pem().contains('=')).unwrap();
    let (world, [a]) = SimulatedWorld::new();
    let port = world.sim.serve_ec2_tls(world.bind(), &tls).unwrap().port();
    let trusted = tls.ca_pem().trim().replace(" CERTIFICATE", " TRUSTED CERTIFICATE");
    let (body, end) = trusted.rsplit_once("-----END").unwrap();
    let trusted = format!("{}\n{TRUSTED_FOR_SERVERS}\n-----END{end}\n", body.trim_end());
    for (name, text) in [("bom.pem", tls.ca_pem()), ("trusted.pem", trusted.as_str())] {
        let path = world.folder().write(name, &format!("\u{feff}{text}"));
        a.start().ec2_at(format!("https://localhost:{port}")).param("ca_bundle", path.display()).ok();
    }
    world.held_by(&a);
    world.cloud.disassociate(&world.address);
    let half = world.folder().write("half.pem", body);
    let run = a.start().ec2_at(format!("https://localhost:{port}")).param("ca_bundle", half.display());
    run.expect(2).reason("half.pem: TRUSTED CERTIFICATE");
}

/// [cred-3] The server's own certificate does not vouch for itself, though curl takes it.
#[test]
fn a_certificate_that_is_wrong_is_refused_to_the_deadline() {
    let rows: [(&str, &[&str], Validity, bool); 6] = [
        ("unknown issuer", &["localhost"], Validity::Now, false),
        ("another issuer", &["localhost"], Validity::Now, true),
        ("the server's own", &["localhost"], Validity::Now, true),
        ("expired", &["localhost"], Validity::Expired, true),
        ("not yet valid", &["localhost"], Validity::NotYet, true),
        ("another name", &["ec2.example"], Validity::Now, true),
    ];
    each(rows.map(|row| (row.0, row)), |(name, names, validity, own)| {
        let (world, a, url, ca) = world(names, validity);
        let own_pem = world.folder().path().join("own.pem").display().to_string();
        let run = |run: Run| {
            let run = run.ec2_at(&url).timeout_ms(SHORT_MS);
            match (own, name) {
                (false, _) => run,
                (true, "another issuer") => {
                    let other = Tls::new(&["localhost"], Validity::Now).unwrap();
                    let ca = world.folder().write("other.pem", other.ca_pem());
                    run.param("ca_bundle", ca.display())
                }
                (true, "the server's own") => run.param("ca_bundle", &own_pem),
                (true, _) => run.param("ca_bundle", &ca),
            }
        };
        // What else it is to each action is in the matrix.
        let outcome = run(a.start()).expect(1).reason("certificate");
        outcome.not_before(std::time::Duration::from_millis(SHORT_MS / 3)).ec2_calls(0);
        world.is_unassigned();
    });
}

/// [cred-3]
#[test]
fn a_bundle_that_is_not_a_bundle_is_reported_by_name() {
    let (world, a, url, _) = world(&["localhost"], Validity::Now);
    let garbage = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    for (name, text) in [("empty.pem", ""), ("garbage.pem", garbage), ("text.pem", "not a certificate\n")] {
        let path = world.folder().write(name, text);
        let outcome = a.start().ec2_at(&url).param("ca_bundle", path.display()).timeout_ms(SHORT_MS).go();
        assert!([1, 2].contains(&outcome.code), "{}", outcome.told());
        outcome.reason("ca_bundle");
    }
    let outcome = a.start().ec2_at(&url).param("ca_bundle", "/no/such/file").timeout_ms(SHORT_MS).go();
    assert!([1, 2].contains(&outcome.code), "{}", outcome.told());
    outcome.reason("/no/such/file");
    // It concerns EC2 alone.
    world.give(&a);
    a.settled_monitor().ec2_at(&url).param("ca_bundle", "/no/such/file").ok();
}
