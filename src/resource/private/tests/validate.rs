//! `validate-all`.

use super::*;

/// [validate-1]
#[tokio::test(start_paused = true)]
async fn level_zero_asks_nobody() {
    let node = Node::new();
    node.imds.set_silent(true);
    assert_eq!(node.run(Action::Validate { level: 0 }).await.unwrap(), Report::Done);
    assert!(node.ec2.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn level_ten_looks_around_and_changes_nothing() {
    let node = Node::new();
    node.ec2.give_private(VIP, &eni(2));
    assert_eq!(node.run(Action::Validate { level: 10 }).await.unwrap(), Report::Done);
    assert!(node.holds(2) && node.network.done().is_empty());
    let calls = node.ec2.calls();
    assert!(calls.contains(&format!("AssignPrivateIpAddresses 10.0.0.1 to {}", eni(1))), "{calls:?}");
    assert!(calls.contains(&format!("UnassignPrivateIpAddresses 192.0.2.1 from {}", eni(1))), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn each_denied_permission_is_found() {
    for operation in ["DescribeNetworkInterfaces", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"] {
        let node = Node::new();
        node.ec2.fail(operation, Ec2Fault::Denied, Strike::Before);
        let outcome = node.run(Action::Validate { level: 10 }).await;
        assert_eq!(code(&outcome, Attempt::Validate), ExitCode::Permission, "{operation}");
        assert!(outcome.unwrap_err().to_string().contains(operation));
    }
}

#[tokio::test(start_paused = true)]
async fn what_would_fail_a_start_fails_here() {
    let rows =
        [("secondary_private_ip", "10.0.1.100"), ("secondary_private_ip", "10.0.0.2"), ("interface", "eth7")];
    for (name, value) in rows {
        let node = Node::new().with(name, value);
        let outcome = node.run(Action::Validate { level: 10 }).await;
        assert_eq!(code(&outcome, Attempt::Validate), ExitCode::Args, "{name}={value}");
    }
}
