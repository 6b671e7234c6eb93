//! `start` and `migrate_from`.

use std::net::IpAddr;

use super::*;

/// [overlay-1]
#[tokio::test(start_paused = true)]
async fn every_table_leads_here_and_the_address_is_on_the_device() {
    let node = OverlayNode::with_tables(3).started().await;
    assert!(node.leads_here(&[1, 2, 3]));
    assert_eq!(node.network().done(), [format!("add {OVERLAY}/32 dev eth0")]);
    assert!(node.logged("moved from eni-00000000000000002"), "{:?}", node.world.log.lines());
    let durable = node.world.records.durable();
    assert_eq!(durable.tables.unwrap().ids, [table(1), table(2), table(3)]);
    assert_eq!((durable.history.len(), durable.region.as_deref()), (1, Some("eu-west-1")));
}

/// [overlay-2] With the tables on record the calls go out first, all at once, and one query confirms them.
#[tokio::test(start_paused = true)]
async fn ten_tables_on_record_are_moved_in_one_round_trip() {
    let node = OverlayNode::with_tables(10).started().await;
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    for number in 1..=10 {
        node.account.route(&table(number), overlay_ip(), &eni(2));
    }
    let way = Duration::from_millis(25);
    node.account.set_journey(None, Journey::of(way));
    let (began, since) = (Instant::now(), node.account.elapsed());
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.leads_here(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    assert!(began.elapsed() < way * 5, "calls and confirmation took {:?}", began.elapsed());
    let changes = node.account.overlay_changes(overlay_ip());
    let (last, call) = (changes.last().unwrap(), way * 2);
    assert!(
        last.value.is_some() && last.at.saturating_sub(since) <= call * 3 / 2,
        "{:?}",
        last.at.saturating_sub(since)
    );
}

/// [overlay-2] The device has the address as soon as the first call is accepted.
#[tokio::test(start_paused = true)]
async fn the_device_does_not_wait_for_the_last_table() {
    let node = OverlayNode::with_tables(2);
    node.account.fail_once("ReplaceRoute", FaultKind::Delay(Duration::from_secs(3)));
    let watch = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(node.on_device() && !node.leads_here(&[1, 2]));
    };
    let (outcome, ()) = tokio::join!(node.start(), watch);
    assert_eq!(outcome.unwrap(), Report::Done);
    assert!(node.leads_here(&[1, 2]));
}

/// [overlay-2] [time-5] Only the table whose call failed is tried again; a call that lost its answer worked.
#[tokio::test(start_paused = true)]
async fn a_throttled_table_is_retried_by_itself_and_one_whose_answer_was_lost_is_not() {
    for (fault, sent) in [(FaultKind::Throttle, 4), (FaultKind::LoseAnswer, 3)] {
        let node = OverlayNode::with_tables(3);
        node.account.fail_once("ReplaceRoute", fault);
        assert_eq!(node.start().await.unwrap(), Report::Done);
        assert!(node.leads_here(&[1, 2, 3]));
        assert_eq!(node.sent("ReplaceRoute"), sent);
    }
}

/// [start-7] The call for the other table was only throttled: sent again, it would take that table from the peer.
#[tokio::test(start_paused = true)]
async fn a_table_that_a_peer_has_taken_meanwhile_ends_the_attempts_for_the_others() {
    let node = OverlayNode::with_tables(2).probed().await;
    for number in 1..=2 {
        node.account.route(&table(number), overlay_ip(), "tgw-00000000000000001");
    }
    node.account.fail_once("ReplaceRoute", FaultKind::LoseAnswer);
    node.account.fault(fault("ReplaceRoute", FaultKind::Throttle).times(3));
    let peer = async {
        until(|| node.leads_here(&[1])).await;
        for number in 1..=2 {
            node.account.route(&table(number), overlay_ip(), &eni(2));
        }
    };
    let (outcome, ()) = tokio::join!(node.start(), peer);
    assert!(matches!(outcome, Err(Error::TakenMeanwhile { .. })), "{outcome:?}");
    assert!(node.leads_here(&[]) && node.sent("ReplaceRoute") == 2, "{:?}", node.account.calls());
}

/// [overlay-2] A mixture is never a success; what arrives here is answered.
#[tokio::test(start_paused = true)]
async fn a_table_that_is_never_replaced_is_named_and_the_address_stays_on_the_device() {
    let node = OverlayNode::with_tables(2);
    node.account.fault(Fault::new(Service::Ec2, FaultKind::Throttle).operation("ReplaceRoute").skip(1));
    let says = format!("ReplaceRoute {}: RequestLimitExceeded", table(2));
    fails(node.start().await, Action::Start, ExitCode::Generic, &says);
    assert!(node.leads_here(&[1]) && node.on_device());
    // Accepted by EC2 and never shown is no success either.
    let node = OverlayNode::with_tables(2);
    node.account.fault(
        Fault::new(Service::Ec2, FaultKind::LateEffect(Duration::from_mins(5)))
            .operation("ReplaceRoute")
            .skip(1),
    );
    let says = format!("EC2 shows {} ({})", eni(2), table(2));
    fails(node.start().await, Action::Start, ExitCode::Generic, &says);
    assert!(node.leads_here(&[1]) && node.on_device());
}

/// [overlay-2] The exit code is that of the failure that only an operator ends.
#[tokio::test(start_paused = true)]
async fn of_different_failures_the_most_permanent_one_is_the_reason() {
    let node = OverlayNode::with_tables(3).in_service().await;
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    node.account.fail_once("ReplaceRoute", FaultKind::code("InvalidParameterCombination"));
    let denied = FaultKind::code("UnauthorizedOperation");
    node.account.fault(Fault::new(Service::Ec2, denied).operation("ReplaceRoute").times(3));
    fails(node.start().await, Action::Start, ExitCode::Permission, "UnauthorizedOperation");
    assert!(node.logged("InvalidParameterCombination"), "{:?}", node.world.log.lines());
}

/// [overlay-2]
#[tokio::test(start_paused = true)]
async fn a_start_that_gets_no_table_removes_what_an_earlier_one_left_on_the_device() {
    let node = OverlayNode::with_tables(2).in_service().await;
    for number in [1, 2] {
        node.account.route(&table(number), overlay_ip(), &eni(2));
    }
    node.account.fail("ReplaceRoute", denied());
    fails(node.start().await, Action::Start, ExitCode::Permission, "ReplaceRoute rtb-");
    assert!(!node.on_device() && node.leads_here(&[]));
}

/// [stale-5]
#[tokio::test(start_paused = true)]
async fn a_start_after_a_stop_sends_every_call() {
    let node = OverlayNode::with_tables(2).in_service().await;
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert_eq!(node.sent("ReplaceRoute"), 2);
}

/// [overlay-6] No call is made before bad input is found.
#[tokio::test(start_paused = true)]
async fn an_address_inside_the_vpc_is_refused_before_any_query() {
    for own in [false, true] {
        let address = if own { "10.0.1.10" } else { "10.0.9.9" };
        let node = OverlayNode::with_tables(1).with("overlay_ip", address);
        fails(node.start().await, Action::Start, ExitCode::Configured, "inside the VPC (10.0.0.0/16)");
        assert!(node.account.calls().is_empty() && node.network().done().is_empty());
    }
}

/// [overlay-6]
#[tokio::test(start_paused = true)]
async fn a_table_that_cannot_be_used_is_found_before_the_first_call() {
    let cases: [(AccountChange, &str); 5] = [
        (|account| account.delete_route(&table(2), overlay_ip()), "has no route for 192.168.10.1/32"),
        (|account| account.delete_route_table(&table(2)), "no such table"),
        (
            |account| account.propagate_route(&table(2), overlay_ip(), "vgw-1"),
            "from EnableVgwRoutePropagation: only one made by CreateRoute",
        ),
        (|account| account.set_source_dest_check(&parsed(eni(1)), true), "source/dest check of eni-"),
        (
            |account| {
                let vpc = parsed("vpc-00000000000000009");
                account.add_route_table(RouteTableSpec { vpc, ..RouteTableSpec::numbered(2) });
                account.route(&table(2), overlay_ip(), &eni(2));
            },
            "is in vpc-00000000000000009",
        ),
    ];
    for (spoil, says) in cases {
        let node = OverlayNode::with_tables(2);
        spoil(&node.account);
        fails(node.start().await, Action::Start, ExitCode::Args, says);
        assert_eq!(node.sent("ReplaceRoute"), 0, "{says}");
        assert!(!node.on_device());
    }
}

/// [record-5] The record knew the route, and the call finds it gone.
#[tokio::test(start_paused = true)]
async fn a_route_that_has_gone_since_it_was_recorded_is_named_with_the_command_that_creates_it() {
    let node = OverlayNode::with_tables(2).started().await;
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    node.account.delete_route(&table(2), overlay_ip());
    fails(node.start().await, Action::Start, ExitCode::Args, "has no route for 192.168.10.1/32");
    assert_eq!(node.world.records.durable().tables, None);
    let command = format!(
        "aws ec2 create-route --route-table-id {} --destination-cidr-block {OVERLAY}/32 --network-interface-id {}",
        table(2),
        eni(1)
    );
    assert!(node.logged(&command), "{:?}", node.world.log.lines());
}

/// [overlay-7] The answer may come after the address has been taken, or never.
#[tokio::test(start_paused = true)]
async fn a_source_dest_check_that_was_switched_on_later_is_an_error_line_of_a_takeover() {
    let cases = [
        (None, 0..1, "--no-source-dest-check"),
        (Some(FaultKind::Delay(Duration::from_secs(2))), 2..3, "--no-source-dest-check"),
        (Some(FaultKind::Hang), 4..5, "source/dest check of eni-00000000000000001 unknown"),
    ];
    for (fault, seconds, says) in cases {
        let node = OverlayNode::with_tables(1).started().await;
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        node.account.set_source_dest_check(&parsed(eni(1)), true);
        node.account.route(&table(1), overlay_ip(), &eni(2));
        if let Some(kind) = fault {
            node.account.fail_once("DescribeNetworkInterfaces", kind);
        }
        assert_eq!(takes(seconds, node.start()).await.unwrap(), Report::Done);
        assert!(node.logged(says), "{:?}", node.world.log.lines());
    }
}

/// [overlay-7]
#[tokio::test(start_paused = true)]
async fn a_source_dest_check_that_may_not_be_queried_is_a_warning() {
    let node = OverlayNode::with_tables(1);
    node.account.fail("DescribeNetworkInterfaces", FaultKind::code("UnauthorizedOperation"));
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.logged("source/dest check of eni-00000000000000001 unknown"));
}

/// [overlay-7] Instance metadata was silent for longer than the query may take.
#[tokio::test(start_paused = true)]
async fn a_source_dest_check_is_refused_after_a_long_wait_for_instance_metadata_too() {
    let node = OverlayNode::with_tables(1);
    node.account.set_source_dest_check(&parsed(eni(1)), true);
    let silence = node.account.fail_metadata(FaultKind::Reset);
    let heal = async {
        tokio::time::sleep(Duration::from_secs(8)).await;
        node.account.clear_fault(silence);
    };
    let (outcome, ()) = tokio::join!(node.start(), heal);
    fails(outcome, Action::Start, ExitCode::Args, "source/dest check of eni-");
    assert_eq!(node.sent("ReplaceRoute"), 0);
}

/// [overlay-5] `auto` and `tag:` find the tables; the set is the one of the last start.
#[tokio::test(start_paused = true)]
async fn tables_are_found_by_their_route_or_their_tag() {
    for selector in ["auto", "tag:cluster=web"] {
        let node = OverlayNode::with_tables(3).with("routing_table", selector);
        node.account.tag_route_table(&table(1), &[("cluster", "web")]);
        node.account.tag_route_table(&table(2), &[("cluster", "web")]);
        node.account.delete_route(&table(3), overlay_ip());
        let node = node.started().await;
        assert!(node.leads_here(&[1, 2]), "{selector}");
        assert_eq!(node.world.records.durable().tables.unwrap().ids, [table(1), table(2)]);
        // A table that has come since is taken by the next start.
        node.account.tag_route_table(&table(3), &[("cluster", "web")]);
        node.account.route(&table(3), overlay_ip(), &eni(2));
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        assert_eq!(node.start().await.unwrap(), Report::Done, "{selector}");
        assert!(node.leads_here(&[1, 2, 3]), "{selector}");
        assert_eq!(node.world.records.durable().tables.unwrap().ids.len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn no_table_at_all_is_an_error_on_this_node() {
    for selector in ["auto", "tag:cluster=web"] {
        let node = OverlayNode::with_tables(1).with("routing_table", selector);
        node.account.delete_route(&table(1), overlay_ip());
        fails(
            node.start().await,
            Action::Start,
            ExitCode::Args,
            &format!("routing_table {selector}: no such table"),
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_of_another_account_is_seen_by_its_role_alone() {
    let node = OverlayNode::with_tables(1);
    let shared = RouteTableSpec { owner: Some("210987654321".to_owned()), ..RouteTableSpec::numbered(1) };
    node.account.add_route_table(shared);
    node.account.route(&table(1), overlay_ip(), &eni(2));
    fails(node.start().await, Action::Start, ExitCode::Args, "no such table");
    let ec2 = node.world.ec2.clone().routing_as("210987654321");
    let node = OverlayNode { world: Parts { ec2, ..node.world }, ..node };
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.leads_here(&[1]));
}

/// [overlay-8]
#[tokio::test(start_paused = true)]
async fn a_route_that_reads_as_a_blackhole_for_long_is_a_warning() {
    let node = OverlayNode::with_tables(1);
    node.account.route_shown_as_blackhole(&table(1), overlay_ip(), &eni(2));
    assert_eq!(takes(0..4, node.start()).await.unwrap(), Report::Done);
    assert!(node.logged("as a blackhole, though this node is running"));
}

/// [start-6] does not hold for this kind: only EC2 knows where the routes lead.
#[tokio::test(start_paused = true)]
async fn a_start_without_an_answer_from_ec2_fails() {
    let node = OverlayNode::with_tables(1).in_service().await;
    node.account.fail_ec2(FaultKind::code("Unavailable"));
    fails(node.start().await, Action::Start, ExitCode::Generic, "Unavailable");
}

#[tokio::test(start_paused = true)]
async fn the_loopback_and_a_label_are_used_as_configured() {
    let node = OverlayNode::with_tables(1).with("device", "lo").with("iflabel", "sap").started().await;
    assert_eq!(node.network().done(), [format!("add {OVERLAY}/32 dev lo label lo:sap")]);
    let node = OverlayNode::with_tables(1).with("device", "dummy0");
    fails(
        node.start().await,
        Action::Start,
        ExitCode::Args,
        "interface dummy0: this node has no such device",
    );
    let node = OverlayNode::with_tables(1).with("add_to_device", "false").started().await;
    assert!(!node.on_device() && node.leads_here(&[1]));
}

#[tokio::test(start_paused = true)]
async fn an_ipv6_address_is_added_to_the_device_with_its_whole_length() {
    let address: IpAddr = "fd00:10::1".parse().unwrap();
    let node = OverlayNode::with_tables(1).with("overlay_ip", "fd00:10::1");
    node.account.route(&table(1), address, &eni(2));
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert_eq!(node.account.route_of(&table(1), address), Some(eni(1)));
    assert_eq!(node.network().done(), ["add fd00:10::1/128 dev eth0"]);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.network().device_with("fd00:10::1"), None);
}

/// Or else the routes would lead to a node that cannot respond.
#[tokio::test(start_paused = true)]
async fn an_ipv6_address_on_a_device_without_ipv6_is_refused_before_the_first_call() {
    let node = OverlayNode::with_tables(1).with("overlay_ip", "fd00:10::1");
    node.network().disable_ipv6();
    let reason = "IPv6 is off on eth0: set net.ipv6.conf.eth0.disable_ipv6=0";
    fails(node.start().await, Action::Start, ExitCode::Args, reason);
    assert_eq!(node.sent("ReplaceRoute"), 0);
    let of_ipv4 = OverlayNode::with_tables(1);
    of_ipv4.network().disable_ipv6();
    of_ipv4.started().await;
}

#[tokio::test(start_paused = true)]
async fn an_ipv6_address_that_another_machine_has_too_is_not_held() {
    let node = OverlayNode::with_tables(1).with("overlay_ip", "fd00:10::1");
    node.account.route(&table(1), "fd00:10::1".parse().unwrap(), &eni(2));
    let node = node.in_service().await;
    node.network().duplicate("fd00:10::1");
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(why) if why.contains("another machine")));
}

/// [overlay-5] [overlay-6] The calls of the first start succeed, because its record has the tables.
#[tokio::test(start_paused = true)]
async fn tables_that_all_lost_their_tag_are_forgotten_and_fail_the_start() {
    let node = OverlayNode::with_tables(2).with("routing_table", "tag:cluster=web");
    let tag = |tags: &[(&str, &str)]| {
        for number in 1..=2 {
            node.account.tag_route_table(&table(number), tags);
        }
    };
    tag(&[("cluster", "web")]);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    tag(&[]);
    for calls in [2, 0] {
        minutes(10).await;
        node.account.clear_calls();
        let says = "routing_table tag:cluster=web: no such table";
        fails(takes(0..4, node.start()).await, Action::Start, ExitCode::Args, says);
        assert_eq!((node.world.records.durable().tables, node.sent("ReplaceRoute")), (None, calls));
        assert_eq!(node.stop().await.unwrap(), Report::Done);
    }
}

/// [stale-7] A replica that is behind shows no table for a moment.
#[tokio::test(start_paused = true)]
async fn one_answer_without_any_table_does_not_fail_a_start() {
    let node = OverlayNode::with_tables(1).with("routing_table", "auto").started().await;
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    node.account.delete_route(&table(1), overlay_ip());
    minutes(10).await;
    node.account.route(&table(1), overlay_ip(), &eni(2));
    node.account.set_lag(Reads::Describes, Lag::Fixed(Duration::from_millis(500)));
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.leads_here(&[1]));
}

/// [overlay-2] [overlay-4] What is on a device that is down does not answer, so the start adds it where it does.
#[tokio::test(start_paused = true)]
async fn a_start_does_not_claim_an_entry_on_another_device() {
    let node = OverlayNode::with_tables(1);
    node.network().plug("dum1", "", &[&format!("{OVERLAY}/32")]);
    let node = node.started().await;
    let record = node.world.records.volatile();
    assert_eq!(record.overlay().unwrap().added, Some(false));
    assert!(node.logged("is already on dum1, not added to eth0"));
}

/// [overlay-2] All calls were refused, because the only table is gone.
#[tokio::test(start_paused = true)]
async fn a_start_whose_tables_are_gone_leaves_nothing_on_the_device() {
    let node = OverlayNode::with_tables(1).in_service().await;
    node.account.delete_route_table(&table(1));
    fails(node.start().await, Action::Start, ExitCode::Args, "no such table");
    assert!(!node.on_device());
}
