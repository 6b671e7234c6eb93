//! `eipctl status`: every address of the cluster, according to every source.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agent_tests::{
    KINDS, Node, OVERLAY, ROUTE_TABLE, Run, SimulatedWorld, TABLE_ROLE, TwoNodes, black_hole, refusing,
};
use aws_sim::{ImdsState, parsed};

use crate::ctl::{primitive, with_tools};

const SECOND_TABLE: &str = "rtb-00000000000000002";
const LIMIT: Duration = Duration::from_secs(30);

/// A cluster of two nodes with an address of each kind, a second Elastic IP and a second overlay address.
struct Scripted {
    two: TwoNodes,
    resources: String,
    /// Resources, each with the node that runs it.
    runs: Vec<(&'static str, &'static str)>,
    /// What node n2 reports about resources.
    reports: Vec<(&'static str, String)>,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Scripted {
    /// This node holds everything, according to EC2 and to the cluster.
    fn new() -> Self {
        let two = KINDS[1].nodes();
        let (world, here) = (&two.world, &two.here);
        let second = world.cloud.allocate(Some("203.0.113.11".parse().unwrap()));
        world.give(here);
        world.cloud.associate(&second, &here.instance.interfaces[1].eni, None);
        two.give(here);
        world.cloud.route(&parsed(ROUTE_TABLE), OVERLAY.into(), here.eni());
        let allocation = second.allocation_id.to_string();
        let vip = [("secondary_private_ip", "10.0.1.100"), ("add_to_device", "false")];
        let overlay =
            [("overlay_ip", "192.168.10.1"), ("routing_table", ROUTE_TABLE), ("add_to_device", "false")];
        let resources = [
            primitive("eip", "eip", &[("elastic_ip", "203.0.113.10")]),
            primitive(
                "second",
                "eip",
                &[("allocation_id", &allocation), ("private_ip_address", "10.0.1.11")],
            ),
            primitive("vip", "vip", &vip),
            primitive("overlay", "overlay-ip", &overlay),
            primitive("auto", "overlay-ip", &[overlay[0], ("routing_table", "auto"), overlay[2]]),
        ];
        let runs = ["eip", "second", "vip", "overlay", "auto"].map(|resource| (resource, "n1")).to_vec();
        Self { two, resources: resources.concat(), runs, reports: Vec::new() }
    }

    fn report(&mut self, resource: &'static str, report: &str) {
        self.reports.push((resource, report.to_owned()));
    }

    fn cib(&self) -> String {
        let state = |node: &str| {
            let reports = self.reports.iter().filter(|_| node == "n2");
            let pairs = reports.map(|(resource, report)| {
                format!(r#"<nvpair id="{resource}" name="eip-report-{resource}" value="{report}"/>"#)
            });
            let starts = self.runs.iter().filter(|(_, on)| *on == node).map(|(resource, _)| {
                format!(
                    r#"<lrm_resource id="{resource}"><lrm_rsc_op id="a" operation="start" interval="0" rc-code="0"
                    last-rc-change="1790000000"/></lrm_resource>"#
                )
            });
            let (pairs, starts): (String, String) = (pairs.collect(), starts.collect());
            format!(
                r#"<node_state uname="{node}"><transient_attributes><instance_attributes id="x">{pairs}</instance_attributes>
                </transient_attributes><lrm><lrm_resources>{starts}</lrm_resources></lrm></node_state>"#
            )
        };
        let (resources, states) = (&self.resources, ["n1", "n2"].map(state).concat());
        format!(
            "<cib><configuration><resources>{resources}</resources><constraints/></configuration>
            <status>{states}</status></cib>"
        )
    }

    fn status(&self, arguments: &[&str]) -> Run {
        let resource = |(resource, node): &(&str, &str)| {
            format!(
                r#"<resource id="{resource}" resource_agent="ocf:heartbeat:x" role="Started" managed="true" failed="false"
                blocked="false"><node name="{node}"/></resource>"#
            )
        };
        let resources: String = self.runs.iter().map(resource).collect();
        let monitor = format!(
            r#"<pacemaker-result><summary><current_dc present="true" with_quorum="true"/></summary><nodes>
            <node name="n1" online="true"/><node name="n2" online="true"/><node name="n3" online="false"/></nodes>
            <resources>{resources}</resources></pacemaker-result>"#
        );
        let tools = [("cibadmin", &*self.cib()), ("crm_mon", &monitor), ("crm_node", "n1")];
        with_tools(&self.two.world, self.two.here.ctl("status", arguments), &tools)
    }
}

/// [ctl-2] [ctl-9]
#[test]
fn every_kind_is_on_one_screen_and_each_api_is_queried_once() {
    let mut cluster = Scripted::new();
    let (at, older, oldest) = (now() - 40, now() - 400, now() - 4000);
    cluster.report("eip", &format!("at={at} ready=true here=no reason=allowed (dry run)"));
    cluster.report("vip", &format!("at={older} ready=false here=no reason=no credentials: no role"));
    cluster.report("second", &format!("at={oldest} ready=true here=no reason=allowed"));
    let outcome = cluster.status(&[]).ok().wrote_nothing();
    assert_eq!(outcome.stderr, "");
    for operation in ["DescribeAddresses", "DescribeNetworkInterfaces", "DescribeRouteTables"] {
        assert_eq!(outcome.calls(operation).len(), 1, "{operation}\n{}", outcome.told());
    }
    let (id, eni) = (cluster.two.here.id().to_string(), cluster.two.here.eni().to_string());
    let allocation = cluster.two.world.address.allocation_id.to_string();
    let outcome = outcome
        .ec2_calls(3)
        .prints_line(&["nodes n1, n2, n3 with quorum; seen from n1 at 20"])
        .prints_line(&["eip  203.0.113.10", &allocation, "ocf:heartbeat:eip"])
        .prints_line(&["second  203.0.113.11", "eipalloc-"])
        .prints_line(&["cluster", "Started on n1 since 2026-09-2"])
        .prints_line(&["EC2", "this node", &id, &eni, "eipassoc-"])
        .prints_line(&["EC2", "this node", ROUTE_TABLE])
        .prints_line(&["n1", "here; ready"])
        .prints_line(&["n2", "not here; ready (reported 4", "s ago)"])
        .prints_line(&["n2", "not here; NOT READY: no credentials: no role (reported 6 min ago)"])
        .prints_line(&[
            "n2",
            "unknown whether here; unknown whether ready: the report is too old: allowed (reported 66 min",
        ])
        .prints_line(&["n2", "(not reported)"])
        .prints_line(&["n3", "(not reported); NOT READY: offline"]);
    assert!(
        !outcome.stdout.contains("DISAGREE") && !outcome.stdout.contains("NOT SEEN"),
        "{}",
        outcome.stdout
    );
    assert!(!cluster.two.here.state().exists(), "it wrote a record");
}

/// [ctl-9]
#[test]
fn each_identity_is_queried_once() {
    let mut cluster = Scripted::new();
    cluster.two.world.cloud.add_route_table(aws_sim::RouteTableSpec {
        owner: Some("210987654321".to_owned()),
        ..aws_sim::RouteTableSpec::numbered(2)
    });
    cluster.two.world.cloud.route(&parsed(SECOND_TABLE), OVERLAY.into(), cluster.two.peer.eni());
    let shared = |id: &str| {
        let parameters = [
            ("overlay_ip", "192.168.10.1"),
            ("routing_table", SECOND_TABLE),
            ("routing_table_role", TABLE_ROLE),
            ("add_to_device", "false"),
        ];
        primitive(id, "overlay-ip", &parameters)
    };
    cluster.resources += &[shared("shared"), shared("again")].concat();
    cluster.runs.extend([("shared", "n2"), ("again", "n2")]);
    let outcome = cluster.status(&[]).ok();
    assert_eq!(outcome.calls("DescribeRouteTables").len(), 2, "{}", outcome.told());
    assert_eq!(outcome.calls("DescribeAddresses").len(), 1, "{}", outcome.told());
    let assumed = outcome.requests.iter().filter(|request| request.is("AssumeRole")).count();
    assert_eq!(assumed, 1, "{}", outcome.told());
    let outcome = outcome.prints_line(&["EC2", "elsewhere", cluster.two.peer.eni(), SECOND_TABLE]);
    assert!(!outcome.stdout.contains("DISAGREE"), "{}", outcome.stdout);
}

/// [ctl-9]
#[test]
fn pages_are_followed() {
    let cluster = Scripted::new();
    for number in 2..8 {
        cluster.two.world.cloud.add_route_table(aws_sim::RouteTableSpec::numbered(number));
    }
    let outcome = cluster.status(&[]).ok().prints_line(&["EC2", "this node", ROUTE_TABLE]);
    assert_eq!(outcome.calls("DescribeRouteTables").len(), 2, "{}", outcome.told());
}

/// [ctl-9]
#[test]
fn what_does_not_answer_is_named_and_the_rest_is_shown() {
    let cluster = Scripted::new();
    let silent = format!("http://{}", refusing());
    let outcome = cluster.status(&["--endpoint-url", &silent, "--timeout", "6"]).ok();
    let outcome = outcome.prints_line(&["NOT SEEN  DescribeAddresses", "no connection"]);
    let outcome = outcome.prints_line(&["NOT SEEN  DescribeRouteTables"]).prints_line(&["EC2", "unknown: "]);
    outcome.prints_line(&["n1", "here; unknown whether ready: DescribeAddresses"]);

    cluster.two.world.cloud.deny("DescribeNetworkInterfaces");
    let denied = cluster
        .status(&[])
        .ok()
        .prints_line(&["NOT SEEN  DescribeNetworkInterfaces", "UnauthorizedOperation"]);
    denied.prints_line(&["n1", "here; NOT READY: DescribeNetworkInterfaces"]).prints_line(&[
        "EC2",
        "this node",
        "eipassoc-",
    ]);
    cluster.two.world.cloud.allow("DescribeNetworkInterfaces");

    let nowhere = format!("http://{}", black_hole());
    let run = cluster.status(&["--imds-endpoint", &nowhere, "--region", "eu-west-1"]).by_key();
    let outcome = run.ok().within(Duration::from_secs(12));
    // Nothing identifies this node, so an address on another one is no contradiction.
    assert!(!outcome.stdout.contains("DISAGREE"), "{}", outcome.stdout);
    let outcome = outcome.prints_line(&["NOT SEEN  IMDS"]).prints_line(&["EC2", "elsewhere", "eipassoc-"]);
    outcome.prints_line(&["n1", "unknown whether here; NOT READY", "IMDS"]).prints_line(&["Started on n1"]);
}

/// [ctl-9] On a node whose Pacemaker is down, from its records.
#[test]
fn without_the_cluster_the_records_show_which_addresses_there_are() {
    let (world, [a]) = SimulatedWorld::new();
    a.ctl("status", &[])
        .expect(1)
        .no_requests()
        .complains("eipctl", "no address to show: none on record here");
    a.start().ok();
    let outcome =
        a.ctl("status", &[]).ok().prints_line(&["NOT SEEN  cibadmin"]).prints_line(&["NOT SEEN  crm_mon"]);
    let outcome =
        outcome.prints("addresses taken from the records\n").prints_line(&["vip  203.0.113.10", "eipalloc-"]);
    let outcome = outcome.prints_line(&["EC2", "this node"]).prints_line(&["here; ready"]);
    let outcome = outcome.prints_line(&["last move", ", start: from unassigned to ", " ms (by this node)"]);
    assert!(!outcome.stdout.contains("DISAGREE"), "{}", outcome.stdout);
    world.cloud.set_imds_state(a.id(), ImdsState::Off403);
    a.ctl("status", &["--timeout", "6"]).ok().prints_line(&["unknown whether here; NOT READY"]);
    let none = "<cib><configuration><resources/><constraints/></configuration></cib>";
    let outcome = with_tools(&world, a.ctl("status", &[]), &[("cibadmin", none)]).expect(1).no_requests();
    outcome.complains("eipctl", "no address to show: the cluster has none");
}

#[test]
fn it_can_be_watched() {
    let cluster = Scripted::new();
    let asked =
        |node: &Node| node.account().log().iter().filter(|request| request.is("DescribeAddresses")).count();
    let running = cluster.status(&["--watch=1"]).env("NO_COLOR", "1").timeout_ms(40_000).spawn();
    cluster.two.world.wait(LIMIT, |_| asked(&cluster.two.here) > 2);
    running.kill();
}
