//! The control API.

use std::net::SocketAddr;

use aws_sim::{Bind, Sim};
use serde_json::{Value, json};

use crate::lab::{RawResponse, Signer, TestResult, exchange, plain};

fn get(addr: SocketAddr, path: &str) -> TestResult<Value> {
    Ok(serde_json::from_slice(&plain(addr, "GET", &format!("/_sim/{path}"), "", "")?.body)?)
}

fn post(addr: SocketAddr, path: &str, body: &Value) -> TestResult<(u16, Value)> {
    let answer = plain(addr, "POST", &format!("/_sim/{path}"), "", &body.to_string())?;
    Ok((answer.status, serde_json::from_slice(&answer.body)?))
}

#[test]
fn a_script_builds_a_world_breaks_it_and_reads_what_happened() -> TestResult {
    let sim = Sim::start()?;
    let ec2 = sim.serve_ec2(Bind::loopback())?;
    let call = || -> TestResult<RawResponse> {
        let signer = Signer { key: "AKIDSCRIPT", secret: "s", ..Signer::default() };
        RawResponse::read(&exchange(ec2, &signer.ec2("DescribeAddresses", &[])?)?)
    };
    let text =
        |value: &Value, at: &str| value.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    post(ec2, "settings", &json!({ "access_keys": { "AKIDSCRIPT": "s" }, "latency_ms": 1 }))?;
    let node = post(ec2, "instances", &json!({ "interfaces": [{ "private_ips": ["10.0.1.7"] }] }))?.1;
    let address = post(ec2, "addresses", &json!({}))?.1;
    let pairing =
        json!({ "allocation_id": text(&address, "/allocation_id"), "eni": text(&node, "/interfaces/0/eni") });
    assert!(text(&post(ec2, "associate", &pairing)?.1, "/association_id").starts_with("eipassoc-"));
    assert_eq!(call()?.element("instanceId"), Some(text(&node, "/id")));
    let fault = post(ec2, "fault", &json!({ "service": "ec2", "kind": "throttle", "times": 1 }))?;
    assert_eq!(fault, (200, json!({ "id": 1 })));
    assert_eq!([call()?.status, call()?.status], [503, 200]);

    let log = get(ec2, "log")?;
    assert_eq!(text(&log, "/1/fault"), "throttle");
    assert_eq!(text(&log, "/1/code"), "RequestLimitExceeded");
    assert_eq!(text(&get(ec2, "state")?, "/addresses/0/public_ip"), "203.0.113.1");
    post(ec2, "clear", &json!({}))?;
    assert_eq!(get(ec2, "log")?, json!([]));
    post(ec2, "disassociate", &json!({ "allocation_id": text(&address, "/allocation_id") }))?;
    assert_eq!(call()?.element("instanceId"), None);
    post(ec2, "reset", &json!({}))?;
    assert_eq!(get(ec2, "state")?.pointer("/addresses"), Some(&json!([])));
    Ok(())
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() -> TestResult {
    let sim = Sim::start()?;
    let ec2 = sim.serve_ec2(Bind::loopback())?;
    let (status, body) = post(ec2, "settings", &json!({ "latancy_ms": 1 }))?;
    assert!(status == 400 && body.to_string().contains("latancy_ms"), "{body}");
    let outside = json!({ "subnet": "10.0.1.0/24", "interfaces": [{ "private_ips": ["10.9.9.9"] }] });
    assert_eq!(post(ec2, "instances", &outside)?.0, 400);
    let unknown = json!({ "allocation_id": "eipalloc-0123456789abcdef0", "eni": "eni-0123456789abcdef0" });
    assert_eq!(
        post(ec2, "associate", &unknown)?.1.pointer("/code"),
        Some(&json!("InvalidAllocationID.NotFound"))
    );
    assert_eq!(post(ec2, "nonsense", &json!({}))?.0, 404);
    Ok(())
}
