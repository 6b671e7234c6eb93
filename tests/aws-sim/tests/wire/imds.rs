//! The metadata service: tokens, the tree, credentials, and how it fails.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use aws_sim::{Bind, CredState, ImdsState};

use crate::lab::{Lab, RawResponse, Signer, TestResult, eni, exchange, exchange_within, plain};

const PUT: &str =
    "PUT /latest/api/token HTTP/1.1\r\nHost: imds\r\nContent-Length: 0\r\nConnection: close\r\n";

/// A client with a token.
struct Session {
    addr: SocketAddr,
    token: String,
}

impl Session {
    fn open(addr: SocketAddr) -> TestResult<Self> {
        let answer = put(addr, "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n")?;
        Ok(Self { addr, token: answer.text() })
    }

    /// Reads below `/latest/meta-data/`.
    fn get(&self, path: &str) -> TestResult<RawResponse> {
        let token = format!("X-aws-ec2-metadata-token: {}\r\n", self.token);
        plain(self.addr, "GET", &format!("/latest/meta-data/{path}"), &token, "")
    }
}

fn put(addr: SocketAddr, headers: &str) -> TestResult<RawResponse> {
    RawResponse::read(&exchange(addr, format!("{PUT}{headers}\r\n").as_bytes())?)
}

#[test]
fn a_token_is_requested_with_a_lifetime_and_not_through_a_proxy() -> TestResult {
    let lab = Lab::new()?;
    let imds = lab.sim.serve_imds(&lab.a.id, Bind::loopback())?;
    let status = |headers: &str| put(imds, headers).map(|answer| answer.status);
    let ttl = "X-aws-ec2-metadata-token-ttl-seconds";
    assert_eq!(status("")?, 400);
    assert_eq!([status(&format!("{ttl}: 0\r\n"))?, status(&format!("{ttl}: 21601\r\n"))?], [400, 400]);
    assert_eq!(status(&format!("{ttl}: 60\r\nX-Forwarded-For: 10.0.0.1\r\n"))?, 403);
    let good = put(imds, &format!("{ttl}: 21600\r\n"))?;
    assert_eq!((good.status, good.header(ttl)), (200, Some("21600")));
    Ok(())
}

#[test]
fn reading_needs_a_token_of_this_instance_that_has_not_expired() -> TestResult {
    let lab = Lab::new()?;
    let a = lab.sim.serve_imds(&lab.a.id, Bind::loopback())?;
    let b = lab.sim.serve_imds(&lab.b.id, Bind::loopback())?;
    let read = |addr, token: &str| {
        let header = format!("X-aws-ec2-metadata-token: {token}\r\n");
        plain(addr, "GET", "/latest/meta-data/instance-id", &header, "").map(|answer| answer.status)
    };
    assert_eq!(plain(a, "GET", "/latest/meta-data/instance-id", "", "")?.status, 401);
    let session = Session::open(a)?;
    assert_eq!((read(a, &session.token)?, read(b, &session.token)?, read(a, "nonsense")?), (200, 401, 401));
    lab.cloud.forget_tokens();
    assert_eq!(read(a, &session.token)?, 401);
    Ok(())
}

#[test]
fn the_tree_is_the_one_of_ec2() -> TestResult {
    let lab = Lab::new()?;
    let session = Session::open(lab.sim.serve_imds(&lab.a.id, Bind::loopback())?)?;
    let text = |path: &str| session.get(path).map(|answer| (answer.status, answer.text()));
    let mac = text("mac")?.1;
    let below = |name: &str| text(&format!("network/interfaces/macs/{mac}/{name}"));
    lab.cloud.associate(&lab.eip, eni(&lab.a)?, None);
    assert_eq!(text("instance-id")?, (200, lab.a.id.to_string()));
    assert_eq!(text("placement/region")?.1, "eu-west-1");
    assert_eq!(text("network/interfaces/macs/")?.1, format!("{mac}/"));
    assert_eq!(below("interface-id")?.1, eni(&lab.a)?.as_str());
    assert_eq!(
        (below("device-number")?.1, below("owner-id")?.1),
        ("0".to_owned(), "123456789012".to_owned())
    );
    assert_eq!(below("subnet-ipv4-cidr-block")?.1, "10.0.1.0/24");
    assert_eq!(below("local-ipv4s")?.1, "10.0.1.10");
    assert_eq!(below("ipv4-associations/")?.1, "203.0.113.1");
    assert_eq!(below("ipv4-associations/203.0.113.1")?.1, "10.0.1.10");
    assert!(below("")?.1.lines().any(|line| line == "ipv4-associations/"), "{:?}", below("")?);
    assert!(text("")?.1.lines().any(|line| line == "network/"));

    lab.cloud.disassociate(&lab.eip);
    let (status, page) = below("ipv4-associations/203.0.113.1")?;
    assert!(status == 404 && page.contains("<title>404 - Not Found</title>"));
    assert_eq!(below("ipv4-associations/")?.0, 404);
    Ok(())
}

#[test]
fn credentials_of_the_role_are_known_to_ec2_and_name_the_instance() -> TestResult {
    let lab = Lab::new()?;
    let session = Session::open(lab.sim.serve_imds(&lab.b.id, Bind::loopback())?)?;
    assert_eq!(session.get("iam/security-credentials/")?.text(), "node");
    let describe = |state| -> TestResult<(u16, String, String)> {
        lab.cloud.set_credentials(&lab.b.id, state);
        let document: serde_json::Value =
            serde_json::from_slice(&session.get("iam/security-credentials/node")?.body)?;
        let field = |name: &str| document.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        let signer = Signer {
            key: field("AccessKeyId"),
            secret: field("SecretAccessKey"),
            token: Some(field("Token")),
            ..Signer::default()
        };
        let answer = RawResponse::read(&exchange(lab.ec2, &signer.ec2("DescribeAddresses", &[])?)?)?;
        Ok((answer.status, answer.error().1, field("AccessKeyId").to_owned()))
    };
    let first = describe(CredState::Valid)?;
    assert_eq!(
        (first.0, describe(CredState::Valid)?.2),
        (200, first.2),
        "the same keys until they near their end"
    );
    assert_eq!(lab.cloud.log().pop().and_then(|request| request.instance), Some(lab.b.id.clone()));
    let (one, two) = (describe(CredState::Rotate)?, describe(CredState::Rotate)?);
    assert!(one.0 == 200 && two.0 == 200 && one.2 != two.2);
    let (status, code, _) = describe(CredState::Expired)?;
    assert_eq!((status, code.as_str()), (400, "RequestExpired"));
    lab.cloud.set_credentials(&lab.b.id, CredState::Missing404);
    assert_eq!(session.get("iam/security-credentials/")?.status, 404);
    Ok(())
}

#[test]
fn the_whole_service_fails_as_configured_and_comes_back() -> TestResult {
    let lab = Lab::new()?;
    let imds = lab.sim.serve_imds(&lab.a.id, Bind::loopback())?;
    let session = Session::open(imds)?;
    let set = |state| lab.cloud.set_imds_state(&lab.a.id, state);
    let ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n";
    let token = format!("{PUT}{ttl}\r\n").into_bytes();
    set(ImdsState::Off403);
    assert_eq!((put(imds, ttl)?.status, session.get("mac")?.status), (403, 403));
    set(ImdsState::TokenRefused);
    assert_eq!((put(imds, ttl)?.status, session.get("mac")?.status), (403, 200));
    set(ImdsState::Error500);
    assert_eq!(put(imds, ttl)?.status, 500);
    set(ImdsState::Garbage);
    assert!(String::from_utf8(put(imds, ttl)?.body).is_err());
    set(ImdsState::Refuse);
    let refused = exchange(imds, &token).map_err(|error| error.kind());
    assert!(matches!(refused, Err(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)), "{refused:?}");
    assert_eq!(lab.cloud.log().pop().map(|request| request.operation).as_deref(), Some("connect"));
    set(ImdsState::Hang);
    let hanging = exchange_within(imds, &token, Duration::from_millis(300)).map_err(|error| error.kind());
    assert_eq!(hanging, Err(ErrorKind::WouldBlock));
    set(ImdsState::Slow);
    let slow = exchange_within(imds, &token, Duration::from_millis(300)).map_err(|error| error.kind());
    assert_eq!(slow, Err(ErrorKind::WouldBlock), "the second byte takes a second");
    set(ImdsState::On);
    assert_eq!(put(imds, ttl)?.status, 200);
    Ok(())
}
