//! The program `aws-sim`.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::lab::{TestResult, plain};

const WORLD: &str = r#"{
    "instances": [{ "id": "i-0123456789abcdef0", "interfaces": [{ "eni": "eni-0123456789abcdef0" }] }],
    "addresses": [{ "public_ip": "203.0.113.9", "eni": "eni-0123456789abcdef0" }],
    "settings": { "access_keys": { "AKID": "secret" } }
}"#;

#[test]
fn it_prints_where_it_serves_a_world_and_ends_with_its_input() -> TestResult {
    let folder = std::env::temp_dir().join(format!("aws-sim-program-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (world, ca) = (folder.join("world.json"), folder.join("ca.pem"));
    std::fs::write(&world, WORLD)?;
    let mut program = Command::new(env!("CARGO_BIN_EXE_aws-sim"))
        .args(["serve", "--print-ready", "--until-eof", "--unsigned", "--ec2-tls", "127.0.0.1:0"])
        .args(["--imds", "i-0123456789abcdef0=127.0.0.1:0"])
        .arg("--world")
        .arg(&world)
        .arg("--ca")
        .arg(&ca)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(program.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let ready: Value = serde_json::from_str(&line)?;
    let addr = |at: &str| -> TestResult<SocketAddr> {
        Ok(ready.pointer(at).and_then(Value::as_str).ok_or_else(|| format!("no {at} in {line}"))?.parse()?)
    };
    let shown = plain(addr("/ec2")?, "GET", "/?Action=DescribeAddresses&Version=2016-11-15", "", "")?;
    assert_eq!(shown.element("instanceId").as_deref(), Some("i-0123456789abcdef0"));
    assert_eq!(
        plain(addr("/imds/i-0123456789abcdef0")?, "GET", "/latest/meta-data/mac", "", "")?.status,
        401
    );
    addr("/ec2_tls")?;
    assert!(std::fs::read_to_string(&ca)?.starts_with("-----BEGIN CERTIFICATE-----"));
    drop(program.stdin.take());
    assert!(program.wait()?.success());
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[test]
fn a_world_that_cannot_be_is_one_line_on_standard_error() -> TestResult {
    let output = Command::new(env!("CARGO_BIN_EXE_aws-sim"))
        .args(["serve", "--world", "/nonexistent/world.json"])
        .output()?;
    let text = String::from_utf8(output.stderr)?;
    assert!(
        !output.status.success() && text.contains("/nonexistent/world.json") && text.lines().count() == 1
    );
    Ok(())
}
