//! `AssumeRole`.

use crate::lab::{Lab, RawResponse, Signer, TestResult, exchange};

const ROLE: [(&str, &str); 2] =
    [("RoleArn", "arn:aws:iam::123456789012:role/path/mover"), ("RoleSessionName", "test")];

fn call(lab: &Lab, signer: &Signer<'_>, action: &str, params: &[(&str, &str)]) -> TestResult<RawResponse> {
    RawResponse::read(&exchange(lab.ec2, &Signer { service: "sts", ..*signer }.sts(action, params)?)?)
}

#[test]
fn a_role_denied_or_of_another_account_is_not_assumed() -> TestResult {
    let lab = Lab::new()?;
    let other = [("RoleArn", "arn:aws:iam::999999999999:role/x"), ("RoleSessionName", "test")];
    let refused = call(&lab, &Signer::default(), "AssumeRole", &other)?;
    assert_eq!(refused.error(), (403, "AccessDenied".to_owned()));
    assert_eq!(refused.element("Type").as_deref(), Some("Sender"));
    lab.cloud.deny("AssumeRole");
    assert_eq!(call(&lab, &Signer::default(), "AssumeRole", &ROLE)?.error().1, "AccessDenied");
    let wrong = Signer { secret: "wrong", ..Signer::default() };
    let refused = call(&lab, &wrong, "AssumeRole", &ROLE)?;
    assert_eq!(refused.error(), (403, "SignatureDoesNotMatch".to_owned()));
    let unknown = Signer { key: "AKIDUNKNOWN", ..Signer::default() };
    assert_eq!(call(&lab, &unknown, "AssumeRole", &ROLE)?.error().1, "InvalidClientTokenId");
    Ok(())
}
