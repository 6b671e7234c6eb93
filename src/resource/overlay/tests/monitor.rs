//! `monitor` and probes.

use super::*;

/// [overlay-9]
#[tokio::test(start_paused = true)]
async fn a_healthy_monitor_queries_ec2_once_in_every_interval() {
    let node = OverlayNode::with_tables(10).in_service().await;
    for _ in 0..12 {
        advance(Duration::from_secs(10)).await;
        assert_eq!(node.monitor().await.unwrap(), Report::Done);
    }
    assert_eq!(node.account.calls().len(), 2, "{:?}", node.account.calls());
    assert_eq!(node.account.questions(), 0, "instance metadata knows nothing about routes");
}

/// [overlay-9]
#[tokio::test(start_paused = true)]
async fn with_monapi_each_monitor_queries_ec2() {
    let node = OverlayNode::with_tables(1).with("monapi", "true").in_service().await;
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert_eq!(node.sent("DescribeRouteTables"), 1);
}

/// [overlay-9]
#[tokio::test(start_paused = true)]
async fn an_address_that_is_not_on_a_device_is_not_here_whatever_ec2_shows() {
    let node = OverlayNode::with_tables(1).in_service().await;
    node.network().lose(OVERLAY);
    assert!(reason(node.monitor().await).contains("on none of this node's network devices"));
    assert!(node.account.calls().is_empty());
    let node = OverlayNode::with_tables(1).in_service().await;
    node.network().set_up("eth0", false);
    assert_eq!(reason(node.monitor().await), format!("{OVERLAY} is on eth0, which is down"));
}

/// [overlay-9]
#[tokio::test(start_paused = true)]
async fn a_table_that_leads_elsewhere_is_named_with_its_holder_when_a_check_is_due() {
    let node = OverlayNode::with_tables(2).in_service().await;
    node.account.route(&table(2), overlay_ip(), &eni(2));
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "not due");
    minutes(1).await;
    let why = reason(node.monitor().await);
    assert_eq!(why, format!("{OVERLAY} is routed to {} ({})", eni(2), table(2)));
    assert!(node.world.records.volatile().lost);
}

/// [overlay-9] [holder-2]
#[tokio::test(start_paused = true)]
async fn silence_or_denial_of_ec2_is_no_absence_and_the_check_stays_due() {
    for code in ["Unavailable", "UnauthorizedOperation", "RequestLimitExceeded"] {
        let node = OverlayNode::with_tables(1).in_service().await;
        minutes(1).await;
        let fault = node.account.fail("DescribeRouteTables", FaultKind::code(code));
        assert_eq!(takes(0..6, node.monitor()).await.unwrap(), Report::Done, "{code}");
        assert!(node.logged("is on a device of this node; EC2 could not confirm it"), "{code}");
        node.account.clear_fault(fault);
        node.account.clear_calls();
        assert_eq!(node.monitor().await.unwrap(), Report::Done);
        assert_eq!(node.sent("DescribeRouteTables"), 1, "{code}");
    }
}

/// [overlay-5] A start could not cure it, and one slip in one of ten tables must not become an outage.
#[tokio::test(start_paused = true)]
async fn a_route_or_table_that_has_gone_is_an_error_line_and_no_absence() {
    let cases: [fn(&Account); 2] = [
        |account| account.delete_route(&table(2), overlay_ip()),
        |account| account.delete_route_table(&table(2)),
    ];
    for selector in ["", "auto", "tag:cluster=web"] {
        for spoil in cases {
            let node = OverlayNode::with_tables(2);
            let node = if selector.is_empty() { node } else { node.with("routing_table", selector) };
            for number in 1..=2 {
                node.account.tag_route_table(&table(number), &[("cluster", "web")]);
            }
            let node = node.in_service().await;
            spoil(&node.account);
            minutes(1).await;
            assert_eq!(node.monitor().await.unwrap(), Report::Done, "{selector}");
            assert!(node.logged(&format!("{} does not lead {OVERLAY} anywhere", table(2))), "{selector}");
        }
    }
    let node = OverlayNode::with_tables(1).in_service().await;
    node.account.delete_route(&table(1), overlay_ip());
    assert_eq!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::Done);
}

/// [overlay-5]
#[tokio::test(start_paused = true)]
async fn a_set_that_changes_is_a_warning_until_the_next_start() {
    let node = OverlayNode::with_tables(3).with("routing_table", "tag:cluster=web");
    node.account.tag_route_table(&table(1), &[("cluster", "web")]);
    node.account.tag_route_table(&table(2), &[("cluster", "web")]);
    let node = node.in_service().await;
    node.account.tag_route_table(&table(2), &[]);
    node.account.tag_route_table(&table(3), &[("cluster", "web")]);
    minutes(1).await;
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert!(node.logged(&format!("{} is now one of tag:cluster=web", table(3))));
    assert!(node.logged(&format!("{} is no longer one of tag:cluster=web", table(2))));
    // It still counts.
    node.account.route(&table(2), overlay_ip(), &eni(2));
    assert!(reason(node.run(Action::Monitor { level: 10 }).await).contains(table(2).as_str()));
}

/// [overlay-8]
#[tokio::test(start_paused = true)]
async fn a_blackhole_to_this_running_node_is_queried_again_and_then_a_warning() {
    let node = OverlayNode::with_tables(1).in_service().await;
    node.account.route_shown_as_blackhole(&table(1), overlay_ip(), &eni(1));
    assert_eq!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::Done);
    assert!(node.sent("DescribeRouteTables") > 1);
    assert!(node.logged("as a blackhole, though this node is running"));
}

/// [overlay-10]
#[tokio::test(start_paused = true)]
async fn a_probe_queries_the_kernel_first_and_then_ec2() {
    let node = OverlayNode::with_tables(2);
    assert!(reason(node.probe().await).contains("on none of this node's network devices"));
    let node = node.in_service().await;
    assert_eq!(node.probe().await.unwrap(), Report::Done);
    assert_eq!(node.sent("DescribeRouteTables"), 1);
    node.account.route(&table(2), overlay_ip(), &eni(2));
    assert_eq!(node.probe().await.unwrap(), Report::Done, "a mixture is for the monitor to decide");
    node.account.route(&table(1), overlay_ip(), &eni(2));
    assert!(reason(node.probe().await).contains("is routed to eni-00000000000000002"));
    assert!(node.logged("stopping the resource removes it"));
}

/// [overlay-10]
#[tokio::test(start_paused = true)]
async fn a_probe_without_an_answer_believes_only_what_was_started_here() {
    let node = OverlayNode::with_tables(1).in_service().await;
    node.account.fail_ec2(FaultKind::code("Unavailable"));
    assert_eq!(node.probe().await.unwrap(), Report::Done);
    *node.world.records.volatile.borrow_mut() = <_>::default();
    assert!(reason(node.probe().await).contains("EC2 could not confirm it"));
}

/// [overlay-10] [overlay-4] What another agent has started is this resource's from the first answer on.
#[tokio::test(start_paused = true)]
async fn an_address_that_another_agent_put_here_is_found_and_can_be_stopped() {
    let node = OverlayNode::with_tables(1);
    node.account.route(&table(1), overlay_ip(), &eni(1));
    node.network().plug("eth1", "02:00:00:00:00:09", &[&format!("{OVERLAY}/32")]);
    assert_eq!(node.probe().await.unwrap(), Report::Done);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(!node.on_device());
}

/// [probe-2]
#[tokio::test(start_paused = true)]
async fn a_probe_on_a_standby_records_the_tables_or_reports_what_is_wrong() {
    let node = OverlayNode::with_tables(2);
    reason(node.probe().await);
    assert_eq!(node.world.records.durable().tables.unwrap().ids, [table(1), table(2)]);
    let node = OverlayNode::with_tables(1);
    node.account.delete_route(&table(1), overlay_ip());
    reason(node.probe().await);
    assert!(node.logged(&format!("this node could not take over {OVERLAY} at present: {}", table(1))));
}

/// [stale-1] The start before it was refused after its first call, so the one that succeeded found that table here.
#[tokio::test(start_paused = true)]
async fn a_stale_answer_about_a_table_that_a_retry_found_here_is_queried_again() {
    let node = OverlayNode::with_tables(2);
    let before = node.account.clone();
    node.account.fault(Fault::new(Service::Ec2, FaultKind::Throttle).operation("ReplaceRoute").skip(1));
    assert!(node.start().await.is_err());
    node.account.clear_faults();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    let node = node.started().await;
    assert!(node.leads_here(&[1, 2]));
    let began = Instant::now();
    let stale = async {
        for number in 1..=2 {
            before.route(&table(number), overlay_ip(), &eni(2));
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        for number in 1..=2 {
            before.route(&table(number), overlay_ip(), &eni(1));
        }
    };
    let (outcome, ()) = tokio::join!(node.monitor(), stale);
    assert_eq!(outcome.unwrap(), Report::Done);
    assert!(began.elapsed() >= Duration::from_secs(4), "{:?}", began.elapsed());
}

/// [overlay-5] As after the switch from another agent: no start has recorded the tables.
#[tokio::test(start_paused = true)]
async fn the_tables_of_an_adopted_address_are_recorded() {
    for selector in ["", "auto"] {
        let node = OverlayNode::with_tables(2);
        let node = if selector.is_empty() { node } else { node.with("routing_table", selector) };
        for number in 1..=2 {
            node.account.route(&table(number), overlay_ip(), &eni(1));
        }
        node.put_on("eth0").await;
        assert_eq!(node.monitor().await.unwrap(), Report::Done);
        assert_eq!(node.world.records.durable().tables.unwrap().ids, [table(1), table(2)], "{selector}");
        for number in [2, 1] {
            minutes(5).await;
            node.account.delete_route(&table(number), overlay_ip());
            assert_eq!(node.monitor().await.unwrap(), Report::Done, "{selector}");
            assert!(
                node.logged(&format!("{} does not lead {OVERLAY} anywhere", table(number))),
                "{selector}"
            );
        }
    }
}

/// [overlay-5] A start would need them, so it would fail.
#[tokio::test(start_paused = true)]
async fn tables_are_not_recorded_for_an_adopted_address_while_one_is_missing() {
    let node = OverlayNode::with_tables(2);
    node.account.route(&table(1), overlay_ip(), &eni(1));
    node.account.delete_route(&table(2), overlay_ip());
    node.put_on("eth0").await;
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert!(node.logged(&format!("{} does not lead {OVERLAY} anywhere", table(2))));
    assert_eq!(node.world.records.durable().tables, None);
}

/// [overlay-5] The created route is gone, and a gateway propagates one in its place: no start could replace it.
#[tokio::test(start_paused = true)]
async fn a_route_that_no_call_can_replace_is_an_error_line_and_no_absence() {
    for spoilt in [1..=1, 1..=2] {
        let node = OverlayNode::with_tables(2).in_service().await;
        for number in spoilt {
            node.account.propagate_route(&table(number), overlay_ip(), "vgw-1");
        }
        minutes(1).await;
        assert_eq!(node.monitor().await.unwrap(), Report::Done);
        assert!(node.logged(&format!(
            "{}: the route for {OVERLAY}/32 comes from EnableVgwRoutePropagation: only one made by CreateRoute can be replaced",
            table(1)
        )));
        node.account.route(&table(2), overlay_ip(), &eni(2));
        assert!(reason(node.run(Action::Monitor { level: 10 }).await).contains(table(2).as_str()));
    }
}

/// [overlay-9] [migrate-1]
#[tokio::test(start_paused = true)]
async fn a_monitor_that_found_the_address_elsewhere_is_not_followed_by_one_that_trusts_its_check() {
    let node = OverlayNode::with_tables(1).in_service().await;
    node.account.route(&table(1), overlay_ip(), &eni(2));
    reason(node.run(Action::Monitor { level: 10 }).await);
    reason(node.monitor().await);
    fails(node.run(Action::MigrateTo).await, Action::MigrateTo, ExitCode::Generic, "is routed to");
}

/// [overlay-8] [overlay-9]
#[tokio::test(start_paused = true)]
async fn a_blackhole_does_not_hide_another_table_from_a_monitor_with_a_short_timeout() {
    for timeout in [4, 6, 8] {
        let node = OverlayNode::with_tables(2).in_service().await;
        node.account.route_shown_as_blackhole(&table(1), overlay_ip(), &eni(1));
        node.account.route(&table(2), overlay_ip(), &eni(2));
        minutes(1).await;
        assert!(
            reason(node.run_within(Action::Monitor { level: 0 }, timeout).await).contains(table(2).as_str())
        );
    }
}

/// [overlay-1] A table without a route is shown as that, not as another holder.
#[tokio::test(start_paused = true)]
async fn a_survey_shows_a_table_without_a_route_as_that() {
    let node = OverlayNode::with_tables(2).in_service().await;
    node.account.delete_route(&table(2), overlay_ip());
    let request = node.request(Action::Monitor { level: 10 }, 20);
    let survey = async || op::<Overlay, _>(&node.world, &request).survey().await.by_ec2.unwrap();
    let shown = survey().await;
    assert_eq!(shown.sentence, format!("only partly here: {}; no route ({})", table(1), table(2)));
    assert_eq!(shown.parts[1], (table(2).to_string(), "no route, or no such table".to_owned()));
    node.account.delete_route(&table(1), overlay_ip());
    assert_eq!(survey().await.answer, "nobody");
}

/// [probe-1] A stop would leave it, because this resource did not put it there.
#[tokio::test(start_paused = true)]
async fn a_leftover_of_another_agent_is_reported_as_one_that_a_stop_leaves() {
    let node = OverlayNode::with_tables(1);
    node.put_on("eth0").await;
    reason(node.probe().await);
    assert!(node.logged("this resource did not add it, so a stop leaves it"), "{:?}", node.world.log.lines());
    assert!(!node.logged("stopping the resource removes it"));
}
