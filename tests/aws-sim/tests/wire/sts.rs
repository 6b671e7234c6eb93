//! `AssumeRole` and `GetCallerIdentity`.

use crate::lab::{Lab, RawResponse, Signer, TestResult, exchange};

const ROLE: [(&str, &str); 2] =
    [("RoleArn", "arn:aws:iam::123456789012:role/path/mover"), ("RoleSessionName", "test")];

fn call(lab: &Lab, signer: &Signer<'_>, action: &str, params: &[(&str, &str)]) -> TestResult<RawResponse> {
    RawResponse::read(&exchange(lab.ec2, &Signer { service: "sts", ..*signer }.sts(action, params)?)?)
}

#[test]
fn an_assumed_role_signs_and_has_its_own_permissions() -> TestResult {
    let lab = Lab::new()?;
    let answer = call(&lab, &Signer::default(), "AssumeRole", &ROLE)?;
    let field = |name: &str| answer.element(name).ok_or_else(|| answer.text());
    let (key, secret, token) = (field("AccessKeyId")?, field("SecretAccessKey")?, field("SessionToken")?);
    let session = Signer { key: &key, secret: &secret, token: Some(&token), ..Signer::default() };
    let who = call(&lab, &session, "GetCallerIdentity", &[])?;
    assert_eq!(who.element("Arn").as_deref(), Some("arn:aws:sts::123456789012:assumed-role/mover/test"));
    lab.cloud.deny_role("mover", "DescribeAddresses");
    let denied = RawResponse::read(&exchange(lab.ec2, &session.ec2("DescribeAddresses", &[])?)?)?;
    assert_eq!(denied.error(), (403, "UnauthorizedOperation".to_owned()));
    assert_eq!(lab.describe()?.status, 200, "the user may");
    lab.cloud.allow_role("mover", "DescribeAddresses");
    assert_eq!(RawResponse::read(&exchange(lab.ec2, &session.ec2("DescribeAddresses", &[])?)?)?.status, 200);
    Ok(())
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
    assert_eq!(
        call(&lab, &wrong, "GetCallerIdentity", &[])?.error(),
        (403, "SignatureDoesNotMatch".to_owned())
    );
    let unknown = Signer { key: "AKIDUNKNOWN", ..Signer::default() };
    assert_eq!(call(&lab, &unknown, "GetCallerIdentity", &[])?.error().1, "InvalidClientTokenId");
    Ok(())
}
