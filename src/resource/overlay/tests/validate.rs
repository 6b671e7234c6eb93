//! `validate-all` at level 10.

use super::*;

/// [validate-2]
#[tokio::test(start_paused = true)]
async fn everything_a_start_needs_is_checked_and_nothing_is_changed() {
    let node = OverlayNode::with_tables(2);
    assert_eq!(node.validate().await.unwrap(), Report::Done);
    assert_eq!(node.sent("ReplaceRoute (dry run)"), 2);
    assert!(node.leads_here(&[]) && node.network().done().is_empty());
}

/// [validate-2] The faults of a start.
#[tokio::test(start_paused = true)]
async fn each_fault_has_its_code() {
    let cases: [(AccountChange, &str); 2] = [
        (|account| account.delete_route(&table(1), overlay_ip()), "has no route"),
        (|account| account.set_source_dest_check(&parsed(eni(1)), true), "source/dest"),
    ];
    for (spoil, says) in cases {
        let node = OverlayNode::with_tables(1);
        spoil(&node.account);
        fails(node.validate().await, Action::Validate { level: 10 }, ExitCode::Args, says);
    }
    let node = OverlayNode::with_tables(1).with("overlay_ip", "10.0.1.77");
    fails(node.validate().await, Action::Validate { level: 10 }, ExitCode::Configured, "inside the VPC");
}

/// [overlay-11]
#[tokio::test(start_paused = true)]
async fn a_service_that_removes_addresses_is_a_warning() {
    let mut node = OverlayNode::with_tables(1);
    node.world.host.address_remover = Some("nm-cloud-setup");
    assert_eq!(node.validate().await.unwrap(), Report::Done);
    assert!(node.logged("nm-cloud-setup may remove 192.168.10.1 from its device"));
}
