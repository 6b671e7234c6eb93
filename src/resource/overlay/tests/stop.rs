//! `stop`.

use super::*;

/// [overlay-3] [overlay-9] After it the node does not hold the address, though the routes still lead to it.
#[tokio::test(start_paused = true)]
async fn a_stop_removes_the_address_from_its_device_and_sends_no_query() {
    let node = OverlayNode::with_tables(2).in_service().await;
    node.account.fail_ec2(FaultKind::Hang);
    node.account.fail_metadata(FaultKind::Hang);
    let began = Instant::now();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(began.elapsed() < Duration::from_millis(10));
    assert!(!node.on_device() && node.leads_here(&[1, 2]));
    assert_eq!((node.account.calls().len(), node.account.questions()), (0, 0));
    assert_eq!(node.world.records.volatile().phase, Some(Phase::Left));
    assert!(node.logged("its routes stay until another node replaces them"));
    node.account.clear_faults();
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
}

/// [overlay-3] [overlay-10]
#[tokio::test(start_paused = true)]
async fn an_address_without_a_device_is_not_here_after_a_stop_though_its_routes_stay() {
    let node = OverlayNode::with_tables(2).with("add_to_device", "false").in_service().await;
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.leads_here(&[1, 2]));
    for action in [Action::Monitor { level: 0 }, Action::Probe { level: 0 }] {
        assert!(reason(node.run(action).await).contains("was stopped on this node; its routes stay"));
    }
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

/// [overlay-3]
#[tokio::test(start_paused = true)]
async fn a_late_stop_does_not_take_it_from_the_peer() {
    let node = OverlayNode::with_tables(2).in_service().await;
    let peer = node.peer();
    assert_eq!(peer.start().await.unwrap(), Report::Done);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    for number in 1..=2 {
        assert_eq!(node.account.route_of(&table(number), overlay_ip()), Some(eni(2)));
    }
    assert!(peer.on_device() && !node.on_device());
}

/// [overlay-4] The first stop leaves a record too, which proves nothing.
#[tokio::test(start_paused = true)]
async fn an_entry_that_this_resource_did_not_add_survives_every_stop() {
    let node = OverlayNode::with_tables(1).with("routing_table", table(9).as_ref());
    node.network().plug("eth1", "02:00:00:00:00:09", &[&format!("{OVERLAY}/32")]);
    for _ in 0..2 {
        assert!(node.start().await.is_err());
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        assert_eq!(node.network().device_with(OVERLAY).as_deref(), Some("eth1"));
    }
}

/// [overlay-4] As a real server behind a balancer, or a daemon, has it there.
#[tokio::test(start_paused = true)]
async fn an_entry_on_another_device_was_not_added_and_stays() {
    for (name, added) in [("lo", true), ("dum1", false), ("dum2", true)] {
        let node = OverlayNode::with_tables(1);
        node.network().plug(name, "00:00:00:00:00:00", &[&format!("{OVERLAY}/32")]);
        // Nothing answers on a device that is down.
        node.network().set_up("dum2", false);
        let node = node.started().await;
        assert_eq!(node.monitor().await.unwrap(), Report::Done, "{name}");
        assert_eq!(node.having().await.contains(&"eth0".to_owned()), added);
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        assert_eq!(node.having().await, [name]);
    }
}

/// [overlay-4] [record-7] A record of before 0.2 does not say who added it: the start did.
#[tokio::test(start_paused = true)]
async fn an_entry_of_a_resource_that_an_older_version_started_is_removed() {
    let node = OverlayNode::with_tables(1).started().await;
    node.world.records.update_volatile(|record| {
        if let Remembered::Overlay(overlay) = &mut record.kind {
            overlay.added = None;
        }
    });
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(!node.on_device());
}

/// [overlay-4]
#[tokio::test(start_paused = true)]
async fn the_address_goes_from_a_device_that_is_down_too() {
    let node = OverlayNode::with_tables(1).in_service().await;
    node.network().set_up("eth0", false);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(!node.on_device());
}

/// [overlay-4] [stop-10] The own address of the node, by mistake: start, stop, and the node still answers.
#[tokio::test(start_paused = true)]
async fn an_interfaces_own_address_is_never_removed() {
    let node = OverlayNode::with_tables(1).with("overlay_ip", "10.0.1.10");
    assert!(node.start().await.is_err());
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.network().device_with("10.0.1.10").as_deref(), Some("eth0"));
    assert!(node.logged("10.0.1.10/24 left on eth0"));
}

/// [overlay-4]
#[tokio::test(start_paused = true)]
async fn an_entry_with_a_shorter_prefix_stays_beside_the_one_that_goes() {
    let node = OverlayNode::with_tables(1).started().await;
    node.network().plug("eth1", "02:00:00:00:00:09", &[OVERLAY]);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.network().device_with(OVERLAY).as_deref(), Some("eth1"));
}

/// [overlay-4]
#[tokio::test(start_paused = true)]
async fn without_a_record_only_the_label_proves_that_an_entry_is_this_resources() {
    for (label, gone) in [("", false), ("sap", true)] {
        let node = OverlayNode::with_tables(1).with("iflabel", label).started().await;
        *node.world.records.volatile.borrow_mut() = <_>::default();
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        assert_eq!(node.on_device(), !gone, "{label}");
        assert_eq!(node.logged("this resource did not add it"), !gone);
    }
}

/// [overlay-4]
#[tokio::test(start_paused = true)]
async fn an_entry_that_another_running_resource_has_stays() {
    let node = OverlayNode::with_tables(1).started().await;
    let other = MemoryRecords::default();
    *other.volatile.borrow_mut() = node.world.records.volatile();
    node.world.records.others.borrow_mut().push(("other".to_owned(), other.clone()));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.on_device() && node.logged("resource other uses it"));
    other.volatile.borrow_mut().phase = Some(Phase::Left);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(!node.on_device());
}

#[tokio::test(start_paused = true)]
async fn a_kernel_that_refuses_is_a_failed_stop() {
    let node = OverlayNode::with_tables(1).started().await;
    node.network().set_broken(true);
    fails(node.stop().await, Action::Stop, ExitCode::Generic, "Operation not permitted");
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_what_never_ran_succeeds_anywhere() {
    let node = OverlayNode::with_tables(1);
    node.account.fail_metadata(FaultKind::Hang);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(reason(node.monitor().await).contains("on none of"));
}

/// [overlay-10] [overlay-4] A probe finds it there, and what it reports as running here has to be removed by the next stop.
#[tokio::test(start_paused = true)]
async fn an_address_that_came_back_after_a_stop_is_removed_by_the_next_one() {
    let node = OverlayNode::with_tables(2).in_service().await;
    for _ in 0..2 {
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        node.put_on("eth0").await;
        assert_eq!(node.probe().await.unwrap(), Report::Done);
        assert_eq!(node.phase(), Some(Phase::Started));
    }
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(!node.on_device(), "{:?}", node.world.log.lines());
}

/// [overlay-10] [overlay-4] What the stop before left to its owner is not adopted.
#[tokio::test(start_paused = true)]
async fn an_entry_that_a_stop_has_left_is_not_adopted_later() {
    let node = OverlayNode::with_tables(1);
    node.network().plug("dum1", "", &[&format!("{OVERLAY}/32")]);
    let node = node.started().await;
    for _ in 0..2 {
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        assert_eq!(node.having().await, ["dum1"]);
        assert!(!node.logged("removed from this node"), "{:?}", node.world.log.lines());
        assert_eq!(node.probe().await.unwrap(), Report::Done);
    }
}

/// [overlay-10] [overlay-4]
#[tokio::test(start_paused = true)]
async fn an_address_of_which_a_probe_finds_a_part_here_is_removed_by_the_stop() {
    let node = OverlayNode::with_tables(2);
    node.account.route(&table(1), overlay_ip(), &eni(1));
    node.put_on("eth0").await;
    assert_eq!(takes(0..1, node.probe()).await.unwrap(), Report::Done);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(!node.on_device());
}

/// [overlay-10] [overlay-4] Renamed in the configuration while the cluster did not manage it.
#[tokio::test(start_paused = true)]
async fn an_address_that_a_resource_of_another_name_started_is_taken_over_from_it() {
    let old = OverlayNode::with_tables(2).in_service().await;
    let node = old.renamed("old");
    assert_eq!(node.probe().await.unwrap(), Report::Done);
    assert_eq!((old.phase(), node.phase()), (Some(Phase::Left), Some(Phase::Started)));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(!node.on_device(), "{:?}", node.world.log.lines());
}

/// [displaced-4] [overlay-4] The claim followed a stop of the resource in the same boot.
#[tokio::test(start_paused = true)]
async fn a_stop_removes_what_a_claim_by_hand_has_put_on_the_device() {
    for probed in [false, true] {
        let node = OverlayNode::with_tables(1).in_service().await;
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        minutes(1).await;
        let claim = node.renamed("web").started().await;
        node.world
            .records
            .others
            .borrow_mut()
            .push((format!("eipctl-{OVERLAY}"), claim.world.records.clone()));
        if probed {
            assert_eq!(node.probe().await.unwrap(), Report::Done);
        }
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        assert!(!node.on_device(), "{:?}", node.world.log.lines());
        assert_eq!(claim.phase(), Some(if probed { Phase::Left } else { Phase::Stopped }));
    }
}

/// [overlay-10] [overlay-4]
#[tokio::test(start_paused = true)]
async fn an_address_found_on_the_configured_loopback_is_removed_by_a_stop() {
    let node = OverlayNode::with_tables(1).with("device", "lo").in_service().await;
    *node.world.records.volatile.borrow_mut() = <_>::default();
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(!node.on_device(), "{:?}", node.world.log.lines());
}
