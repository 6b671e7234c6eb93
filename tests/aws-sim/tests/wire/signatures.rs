//! Signatures: made by the SDK's own code, checked by the simulator's.

use std::time::{Duration, SystemTime};

use crate::lab::{Lab, RawResponse, Signer, TestResult, exchange, plain};

/// Status and error code for a Describe that was signed this way, and then tampered with.
fn answer(lab: &Lab, signer: &Signer<'_>, tamper: impl Fn(&str) -> String) -> TestResult<(u16, String)> {
    let params = [("Filter.1.Name", "instance-id"), ("Filter.1.Value.1", "a b/ü*~+ %")];
    let request = String::from_utf8(signer.ec2("DescribeAddresses", &params)?)?;
    Ok(RawResponse::read(&exchange(lab.ec2, tamper(&request).as_bytes())?)?.error())
}

#[test]
fn a_good_signature_is_accepted_and_a_wrong_secret_is_not() -> TestResult {
    let lab = Lab::new()?;
    let code = |signer: &Signer<'_>| answer(&lab, signer, str::to_owned);
    assert_eq!(code(&Signer::default())?, (200, String::new()));
    assert_eq!(
        code(&Signer { secret: "wrong", ..Signer::default() })?,
        (403, "SignatureDoesNotMatch".to_owned())
    );
    assert_eq!(code(&Signer { key: "AKIDUNKNOWN", ..Signer::default() })?, (401, "AuthFailure".to_owned()));
    assert_eq!(
        code(&Signer { token: Some("made up"), ..Signer::default() })?,
        (401, "AuthFailure".to_owned())
    );
    assert_eq!(code(&Signer { region: "us-east-1", ..Signer::default() })?.1, "SignatureDoesNotMatch");
    assert_eq!(code(&Signer { service: "s3", ..Signer::default() })?.1, "SignatureDoesNotMatch");
    assert!(lab.cloud.log().iter().skip(1).all(|request| request.code.is_some()));
    Ok(())
}

#[test]
fn what_was_changed_on_the_way_is_noticed() -> TestResult {
    let lab = Lab::new()?;
    let code = |from: &str, to: &str| answer(&lab, &Signer::default(), |request| request.replace(from, to));
    assert_eq!(code("POST /", "POST /")?.0, 200);
    for (from, to) in [
        ("DescribeAddresses", "DescribeInstances"),
        ("POST / ", "POST /x "),
        ("POST / ", "POST /?a=b "),
        ("host: ec2.test", "host: ec2.fake"),
        ("\r\n\r\n", "\r\nx-amz-extra: 1\r\n\r\n"),
    ] {
        assert_eq!(code(from, to)?, (403, "SignatureDoesNotMatch".to_owned()), "{from} -> {to}");
    }
    Ok(())
}

#[test]
fn a_request_without_signature_is_refused() -> TestResult {
    let body = "Action=DescribeAddresses&Version=2016-11-15";
    let lab = Lab::new()?;
    assert_eq!(plain(lab.ec2, "POST", "/", "", body)?.error(), (400, "MissingParameter".to_owned()));
    Ok(())
}

#[test]
fn clocks_more_than_a_quarter_of_an_hour_apart_are_refused_with_the_time() -> TestResult {
    let lab = Lab::new()?;
    let minute = Duration::from_mins(1);
    let at = |time| answer(&lab, &Signer { time, ..Signer::default() }, str::to_owned);
    let now = SystemTime::now();
    assert_eq!(at(now - 14 * minute)?.0, 200);
    assert_eq!(at(now - 16 * minute)?, (400, "RequestExpired".to_owned()));
    assert_eq!(at(now + 16 * minute)?, (400, "RequestExpired".to_owned()));
    lab.cloud.set_clock_skew(20.0 * 60.0);
    assert_eq!(at(now)?, (400, "RequestExpired".to_owned()));
    assert_eq!(at(now + 20 * minute)?.0, 200);
    let before = lab.describe()?;
    lab.cloud.set_clock_skew(0.0);
    let after = RawResponse::read(&exchange(lab.ec2, &Signer::default().ec2("DescribeAddresses", &[])?)?)?;
    assert_ne!(
        before.header("date"),
        after.header("date"),
        "a client corrects its clock by the answer's date"
    );
    Ok(())
}
