//! HTTPS, and certificates a client must refuse.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use aws_sim::{Bind, Tls, Validity};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use crate::lab::{Lab, PATIENCE, RawResponse, Signer, TestResult};

fn https(lab: &Lab, server: &Tls, trusted: &Tls) -> TestResult<RawResponse> {
    let addr = lab.sim.serve_ec2_tls(Bind::loopback(), server)?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.ca_pem().as_bytes())?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    let stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut stream = StreamOwned::new(client, stream);
    stream.write_all(&Signer::default().ec2("DescribeAddresses", &[])?)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    RawResponse::read(&answer)
}

#[test]
fn a_client_that_trusts_the_authority_is_served() -> TestResult {
    let lab = Lab::new()?;
    let tls = Tls::new(&["localhost", "127.0.0.1"], Validity::Now)?;
    assert_eq!(https(&lab, &tls, &tls)?.status, 200);
    Ok(())
}

#[test]
fn each_thing_wrong_with_a_certificate_shows() -> TestResult {
    let lab = Lab::new()?;
    let make = |name, validity| Tls::new(&[name], validity);
    let good = make("localhost", Validity::Now)?;
    for (server, trusted, expected) in [
        (make("localhost", Validity::Expired)?, None, "Expired"),
        (make("localhost", Validity::NotYet)?, None, "not valid yet"),
        (make("elsewhere.test", Validity::Now)?, None, "not valid for name"),
        (make("localhost", Validity::Now)?, Some(&good), "UnknownIssuer"),
    ] {
        let refused = https(&lab, &server, trusted.unwrap_or(&server)).err().ok_or(expected)?;
        let text = refused.to_string();
        assert!(text.to_lowercase().contains(&expected.to_lowercase()), "{text}, not {expected}");
    }
    assert!(lab.cloud.log().is_empty(), "no request got through");
    Ok(())
}
