//! Each kind of fault as it appears on the wire, and whether the call still took effect.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use aws_sim::{Fault, FaultKind, Service};

use crate::lab::{Lab, PATIENCE, RawResponse, Signer, TestResult, eni, exchange, exchange_within};

/// What a client sees of one `AssociateAddress` that `kind` strikes, and whether it took effect.
fn struck(kind: FaultKind) -> TestResult<(io::Result<Vec<u8>>, bool)> {
    let lab = Lab::new()?;
    let name = kind.name();
    let waits = matches!(kind, FaultKind::Hang | FaultKind::EffectThenHang);
    lab.cloud.fault(Fault::new(Service::Ec2, kind).operation("AssociateAddress"));
    let params = [("AllocationId", lab.eip.allocation_id.as_str()), ("NetworkInterfaceId", eni(&lab.a)?)];
    let request = Signer::default().ec2("AssociateAddress", &params)?;
    let limit = if waits { Duration::from_millis(300) } else { PATIENCE };
    let seen = exchange_within(lab.ec2, &request, limit);
    let logged = lab.cloud.wait_for_request(PATIENCE, |_| true);
    assert!(logged.is_some(), "not logged");
    let logged = lab.cloud.log().pop().ok_or("not logged")?;
    assert_eq!(logged.fault.as_deref(), Some(name));
    let effect = lab.cloud.holder(&lab.eip).is_some();
    assert_eq!(logged.association_id.is_some(), effect, "the log shows the effect");
    Ok((seen, effect))
}

fn answered(kind: FaultKind) -> TestResult<(RawResponse, bool)> {
    let (seen, effect) = struck(kind)?;
    Ok((RawResponse::read(&seen?)?, effect))
}

#[test]
fn without_an_answer_the_connection_ends_or_hangs_with_or_without_effect() -> TestResult {
    for (kind, ends, expected) in [
        (FaultKind::Reset, Some(ErrorKind::ConnectionReset), false),
        (FaultKind::LoseAnswer, Some(ErrorKind::ConnectionReset), true),
        (FaultKind::Hang, Some(ErrorKind::WouldBlock), false),
        (FaultKind::EffectThenHang, Some(ErrorKind::WouldBlock), true),
        // An orderly end without a byte.
        (FaultKind::CloseBeforeAnswer, None, false),
    ] {
        let name = kind.name();
        let (seen, effect) = struck(kind)?;
        assert_eq!((seen.as_ref().map_err(io::Error::kind).err(), effect), (ends, expected), "{name}");
        assert!(seen.unwrap_or_default().is_empty(), "{name}");
    }
    Ok(())
}

#[test]
fn errors_and_throttling_are_documents_of_the_service() -> TestResult {
    let (code, message) = ("InternalError".to_owned(), "An <internal> error".to_owned());
    let (answer, effect) = answered(FaultKind::Error { status: 500, code, message })?;
    assert_eq!((answer.error(), effect), ((500, "InternalError".to_owned()), false));
    assert_eq!(answer.element("Message").as_deref(), Some("An &lt;internal&gt; error"));
    assert_eq!(answer.element("RequestID").as_deref(), answer.header("x-amzn-requestid"));
    let (answer, effect) = answered(FaultKind::Throttle)?;
    assert_eq!((answer.error(), effect), ((503, "RequestLimitExceeded".to_owned()), false));
    Ok(())
}

#[test]
fn unusable_bodies() -> TestResult {
    let (answer, effect) = answered(FaultKind::Garbage)?;
    assert!(answer.status == 200 && String::from_utf8(answer.body).is_err() && !effect);
    let (answer, effect) = answered(FaultKind::Empty)?;
    assert!(answer.status == 200 && answer.body.is_empty() && !effect);
    let (answer, effect) = answered(FaultKind::HtmlProxy(502))?;
    assert_eq!((answer.status, answer.header("content-type"), effect), (502, Some("text/html"), false));
    let (seen, effect) = struck(FaultKind::NotHttp)?;
    assert!(!seen?.starts_with(b"HTTP") && !effect);
    Ok(())
}

#[test]
fn answers_that_break_off_come_after_the_effect() -> TestResult {
    let promised =
        |answer: &RawResponse| answer.header("content-length").and_then(|n| n.parse::<usize>().ok());
    let (answer, effect) = answered(FaultKind::TruncatedXml)?;
    assert!(answer.text().starts_with("<?xml") && !answer.text().contains("</AssociateAddressResponse>"));
    assert_eq!((promised(&answer), effect), (Some(answer.body.len()), true), "complete as HTTP");
    let (answer, effect) = answered(FaultKind::ShortBody)?;
    assert!(effect && promised(&answer).is_some_and(|length| length > answer.body.len()));
    Ok(())
}

#[test]
fn a_slow_answer_arrives_complete_at_its_rate() -> TestResult {
    let from = Instant::now();
    let (answer, effect) = answered(FaultKind::Slow(1000))?;
    assert!(answer.text().ends_with("</AssociateAddressResponse>") && effect);
    let bytes = u32::try_from(answer.head.len() + answer.body.len())?;
    assert!(
        from.elapsed() > Duration::from_millis(1) * bytes * 9 / 10,
        "{bytes} bytes in {:?}",
        from.elapsed()
    );
    Ok(())
}

#[test]
fn a_delay_is_before_the_effect() -> TestResult {
    let from = Instant::now();
    let (answer, effect) = answered(FaultKind::Delay(Duration::from_millis(200)))?;
    assert!(answer.status == 200 && effect && from.elapsed() >= Duration::from_millis(200));
    Ok(())
}

#[test]
fn a_connection_stays_usable_after_an_ordinary_answer() -> TestResult {
    let lab = Lab::new()?;
    let request = String::from_utf8(Signer::default().ec2("DescribeAddresses", &[])?)?;
    let keep = request.replace("Connection: close\r\n", "");
    let mut stream = TcpStream::connect(lab.ec2)?;
    stream.write_all(keep.as_bytes())?;
    let mut first = [0; 12];
    stream.read_exact(&mut first)?;
    stream.write_all(request.as_bytes())?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest)?;
    assert_eq!((&first, String::from_utf8(rest)?.matches("HTTP/1.1 200").count()), (b"HTTP/1.1 200", 1));
    Ok(())
}

#[test]
fn dropping_the_simulator_ends_hanging_connections() -> TestResult {
    let lab = Lab::new()?;
    lab.cloud.fault(Fault::new(Service::Ec2, FaultKind::Hang));
    let (addr, request) = (lab.ec2, Signer::default().ec2("DescribeAddresses", &[])?);
    let client = std::thread::spawn(move || exchange(addr, &request).map_err(|e| e.kind()));
    assert!(lab.cloud.wait_for_request(PATIENCE, |r| r.operation == "DescribeAddresses").is_some());
    drop(lab);
    let seen = client.join().map_err(|_| "the client panicked")?;
    assert!(!matches!(seen, Err(ErrorKind::WouldBlock)), "{seen:?}");
    assert!(TcpStream::connect(addr).is_err(), "still listening");
    Ok(())
}
