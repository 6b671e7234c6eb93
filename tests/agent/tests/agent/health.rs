//! `eip-health`, with scripts in place of Pacemaker's tools. With the real ones it is a scenario of the cluster tests.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use agent_tests::{Node, Run, SimulatedWorld};
use aws_sim::{CredState, ImdsState};

const HEAD: &str = r#"<cib crm_feature_set="@FEATURE@"><configuration>
<crm_config><cluster_property_set id="p"><nvpair id="p1" name="node-health-strategy" value="@STRATEGY@"/></cluster_property_set></crm_config>
<resources><primitive id="vip" class="ocf" provider="heartbeat" type="eip"><instance_attributes id="i">
<nvpair id="i1" name="elastic_ip" value="203.0.113.10"/></instance_attributes></primitive>
<clone id="health-clone"><meta_attributes id="m"><nvpair id="m1" name="allow-unhealthy-nodes" value="@ALLOW@"/></meta_attributes>
<primitive id="health" class="ocf" provider="heartbeat" type="eip-health"><instance_attributes id="h">
<nvpair id="h1" name="node_health" value="true"/></instance_attributes></primitive></clone></resources>
<constraints/></configuration><status>
"#;
/// The header, and each node's attributes in a file of their own.
const CIBADMIN: &str = r#"#!/bin/sh
cd "${0%/*}/.." || exit 1
cat head
for node in nodes/*; do
echo "<node_state uname=\"${node##*/}\"><transient_attributes><instance_attributes>"
for file in "$node"/*; do
[ -f "$file" ] || continue
echo "<nvpair name=\"${file##*/}\" value=\"$(sed 's/&/\&amp;/g;s/</\&lt;/g;s/"/\&quot;/g' "$file")\"/>"
done
echo "</instance_attributes></transient_attributes></node_state>"
done
echo "</status></cib>"
"#;
const ATTRD_UPDATER: &str = r#"#!/bin/sh
cd "${0%/*}/.." || exit 1
echo "$*" >>orders
file=nodes/$OCF_RESKEY_CRM_meta_on_node/$2
case $3 in
-U) printf '%s\n' "$4" >"$file" ;;
-D) rm -f "$file" ;;
*) exit 64 ;;
esac
"#;
/// Limit for what takes a second.
const LIMIT: Duration = Duration::from_secs(20);

/// A cluster of scripts, with the address and a clone of `eip-health` in its configuration.
struct AttributeCluster {
    folder: PathBuf,
}

impl AttributeCluster {
    fn new<const N: usize>(world: &SimulatedWorld, nodes: &[Node; N]) -> Self {
        let cluster = Self { folder: world.folder().path().join("pacemaker") };
        for (tool, script) in [("cibadmin", CIBADMIN), ("attrd_updater", ATTRD_UPDATER)] {
            cluster.tool(tool, script);
        }
        for node in nodes {
            fs::create_dir_all(cluster.folder.join("nodes").join(name(node))).unwrap();
        }
        cluster.configure("3.16.2", "migrate-on-red", true);
        cluster
    }

    fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }

    fn tool(&self, name: &str, script: &str) {
        agent_tests::write_program(&self.bin().join(name), script);
    }

    /// Configures the cluster's feature set, `node-health-strategy`, and whether the clone may stay on a red node; `node_health` is on.
    fn configure(&self, feature: &str, strategy: &str, allow: bool) {
        let head = HEAD.replace("@FEATURE@", feature).replace("@STRATEGY@", strategy);
        let head = head.replace("@ALLOW@", &allow.to_string());
        fs::write(self.folder.join("head"), head).unwrap();
    }

    fn run(&self, node: &Node, action: &str) -> Run {
        let run = node.run(action).called("eip-health").no_param("elastic_ip");
        let run = run.no_param("endpoint_url").no_param("imds_endpoint");
        run.tools_in(&self.bin())
            .env("OCF_RESOURCE_INSTANCE", "health")
            .env("OCF_RESOURCE_TYPE", "eip-health")
    }

    fn start(&self, node: &Node) -> Run {
        self.run(node, "start")
    }

    fn monitor(&self, node: &Node) -> Run {
        self.run(node, "monitor").interval_ms(60_000)
    }

    fn attribute(&self, node: &Node, attribute: &str) -> Option<String> {
        let path = self.folder.join("nodes").join(name(node)).join(attribute);
        fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned())
    }

    /// What the node reports: whether it is ready, in the form that the rule reads, and the whole line.
    fn said(&self, node: &Node) -> (String, String) {
        let attribute = |name| self.attribute(node, name).unwrap_or_default();
        (attribute("eip-ready-vip"), attribute("eip-report-vip"))
    }

    fn colour(&self, node: &Node) -> Option<String> {
        self.attribute(node, "#health-eip")
    }

    fn orders(&self) -> usize {
        fs::read_to_string(self.folder.join("orders")).unwrap_or_default().lines().count()
    }
}

fn name(node: &Node) -> String {
    node.folder().file_name().unwrap().to_string_lossy().into_owned()
}

/// Two nodes in a cluster. The second one has the address.
fn standby() -> (SimulatedWorld, [Node; 2], AttributeCluster) {
    let (world, nodes) = SimulatedWorld::new();
    world.give(&nodes[1]);
    let cluster = AttributeCluster::new(&world, &nodes);
    (world, nodes, cluster)
}

/// [health-1]
#[test]
fn a_fit_standby_reports_that_it_is_ready_until_it_is_stopped() {
    let (_world, [a, _], cluster) = standby();
    cluster.monitor(&a).expect(7);
    cluster.run(&a, "monitor").expect(7);
    cluster.start(&a).ok().wrote_nothing();
    let (ready, report) = cluster.said(&a);
    assert_eq!(ready, "true");
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let at: u64 = report.strip_prefix("at=").unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(now - at < 60, "{report}");
    assert!(
        report.contains(" ready=true here=no ec2=") && report.ends_with("reason=allowed by a dry run"),
        "{report}"
    );
    cluster.run(&a, "monitor").ok();
    cluster.run(&a, "stop").ok();
    assert_eq!((cluster.said(&a), cluster.colour(&a)), Default::default());
    cluster.monitor(&a).expect(7);
    cluster.run(&a, "stop").ok();
}

/// [health-2]
#[test]
fn a_holder_that_is_denied_stays_ready_and_its_peer_does_not() {
    let (world, [a, b]) = SimulatedWorld::new();
    b.start().ok();
    let cluster = AttributeCluster::new(&world, &[a.clone(), b.clone()]);
    for operation in ["DescribeAddresses", "AssociateAddress", "DisassociateAddress"] {
        world.cloud.deny(operation);
    }
    for node in [&a, &b] {
        cluster.start(node).ok();
        cluster.monitor(node).ok();
    }
    let (ready, report) = cluster.said(&b);
    assert_eq!(ready, "true");
    assert!(report.contains("here=yes") && report.contains("could not take it again: "), "{report}");
    let (ready, report) = cluster.said(&a);
    assert_eq!(ready, "false");
    assert!(report.contains("here=no") && report.contains("UnauthorizedOperation"), "{report}");
    world.held_by(&b);
}

/// [health-3]
#[test]
fn credentials_that_are_taken_away_show_at_the_next_monitor_and_without_ec2() {
    let (world, [a, _], cluster) = standby();
    cluster.start(&a).ok();
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    cluster.monitor(&a).ok().ec2_calls(0).logged(&["vip: this node could not take over"]);
    let (ready, report) = cluster.said(&a);
    assert!(ready == "false" && report.contains("credentials"), "{report}");
    world.cloud.set_credentials(a.id(), CredState::Valid);
    cluster.monitor(&a).ok().ec2_calls(0).logged(&["vip: this node could take over"]);
    assert_eq!(cluster.said(&a).0, "true");
}

/// [health-4]
#[test]
fn a_denial_shows_at_the_next_dry_run() {
    let (world, [a, _], cluster) = standby();
    cluster.start(&a).ok();
    world.cloud.deny("AssociateAddress");
    cluster.monitor(&a).ok().ec2_calls(0);
    assert_eq!(cluster.said(&a).0, "true");
    let soon = || cluster.monitor(&a).param("dry_run_interval", "1").ok();
    world.wait(LIMIT, |_| {
        soon();
        cluster.said(&a).0 == "false"
    });
    // Not before the interval is over, which is at most five minutes after a failure.
    world.cloud.allow("AssociateAddress");
    cluster.monitor(&a).ok().ec2_calls(0);
    assert_eq!(cluster.said(&a).0, "false");
    world.wait(LIMIT, |_| {
        soon();
        cluster.said(&a).0 == "true"
    });
}

/// [health-6]
#[test]
fn what_cannot_be_found_out_leaves_the_attribute_for_rules_as_it_is() {
    let (world, [a, b], cluster) = standby();
    cluster.start(&a).ok();
    for node in [&a, &b] {
        world.cloud.set_imds_state(node.id(), ImdsState::Refuse);
    }
    cluster.monitor(&a).timeout_ms(15_000).ok();
    let (ready, report) = cluster.said(&a);
    assert!(ready == "true" && report.contains(" ready=unknown here=unknown "), "{report}");
    cluster.start(&b).timeout_ms(15_000).ok();
    assert_eq!(cluster.said(&b).0, "");
}

/// [health-13]
#[test]
fn a_standby_whose_parameters_depend_on_a_rule_that_only_pacemaker_can_evaluate_is_unknown() {
    let (_world, [a, _], cluster) = standby();
    cluster.start(&a).ok();
    // An older value does not refer to the current parameters.
    assert_eq!(cluster.said(&a).0, "true");
    let rule = r#"<instance_attributes id="s" score="2"><rule id="r" score="0"><date_expression id="d" operation="gt" start="2030-01-01"/>
        </rule><nvpair id="n" name="private_ip_address" value="10.0.1.11"/></instance_attributes></primitive>"#;
    let head = fs::read_to_string(cluster.folder.join("head")).unwrap();
    fs::write(cluster.folder.join("head"), head.replacen("</primitive>", rule, 1)).unwrap();
    cluster.monitor(&a).ok().no_requests();
    let (ready, report) = cluster.said(&a);
    assert_eq!(ready, "", "{report}");
    assert!(report.contains(" ready=unknown here=unknown "), "{report}");
    assert!(report.contains("reason=private_ip_address depends on a rule"), "{report}");
    // Whether it could take the address does not depend on how it would stop.
    let of_stop = rule.replace("private_ip_address", "on_stop").replace("10.0.1.11", "leave");
    fs::write(cluster.folder.join("head"), head.replacen("</primitive>", &of_stop, 1)).unwrap();
    cluster.monitor(&a).ok();
    assert_eq!(cluster.said(&a).0, "true");
}

/// [health-7]
#[test]
fn an_attrd_that_hangs_cannot_hang_it() {
    let (world, [a, _], cluster) = standby();
    cluster.start(&a).ok();
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    cluster.tool("attrd_updater", "#!/bin/sh\necho \"$*\" >>\"${0%/*}/../orders\"\nexec sleep 60\n");
    let orders = cluster.orders();
    let told = ["readiness not reported: attrd_updater: no answer within 3 s"];
    cluster.monitor(&a).ok().within(Duration::from_secs(12)).logged(&told);
    assert_eq!(cluster.orders(), orders + 1, "it was called again after it had hung");
    cluster.run(&a, "stop").ok().within(Duration::from_secs(12)).logged(&["node attributes not removed"]);
    cluster.tool("cibadmin", "#!/bin/sh\nexec sleep 60\n");
    cluster.start(&a).ok().within(Duration::from_secs(12)).logged(&["readiness not reported: cibadmin"]);
    cluster.monitor(&a).ok().within(Duration::from_secs(12));
}

/// [health-12]
#[test]
fn a_report_with_nothing_new_is_written_again_only_after_five_minutes() {
    let (_world, [a, _], cluster) = standby();
    cluster.start(&a).ok();
    let (orders, (_, report)) = (cluster.orders(), cluster.said(&a));
    cluster.monitor(&a).ok();
    assert_eq!((cluster.orders(), cluster.said(&a).1), (orders, report.clone()));
    let old = format!("at=1 {}", report.split_once(' ').unwrap().1);
    fs::write(cluster.folder.join("nodes").join(name(&a)).join("eip-report-vip"), &old).unwrap();
    cluster.monitor(&a).ok();
    assert_eq!(cluster.orders(), orders + 1);
    assert_ne!(cluster.said(&a).1, old);
}

/// [health-11]
#[test]
fn without_what_it_takes_no_colour_is_set_and_one_that_was_is_removed() {
    let (_world, [a, _], cluster) = standby();
    let monitor = || cluster.monitor(&a).param("node_health", "true").ok();
    cluster.start(&a).param("node_health", "true").ok();
    for (feature, strategy, allow, reason) in [
        ("3.12.1", "migrate-on-red", true, "before Pacemaker 2.1.3"),
        ("3.16.2", "migrate-on-red", false, "allow-unhealthy-nodes=true"),
        ("3.16.2", "only-green", true, "node-health-strategy=only-green"),
    ] {
        cluster.configure("3.16.2", "migrate-on-red", true);
        monitor();
        assert_eq!(cluster.colour(&a).as_deref(), Some("green"));
        cluster.configure(feature, strategy, allow);
        monitor();
        assert_eq!((cluster.colour(&a), cluster.said(&a).0.as_str()), (None, "true"), "{reason}");
        cluster.start(&a).param("node_health", "true").ok().logged(&["node health not set", reason]);
        let checked = a.ctl("check", &["203.0.113.10"]).tools_in(&cluster.bin()).expect(1);
        checked.prints_line(&["FAIL", "node health", "health: node_health=true has no effect", reason]);
    }
    cluster.configure("3.16.2", "migrate-on-red", true);
    monitor();
    cluster.monitor(&a).ok();
    assert_eq!(cluster.colour(&a), None, "with the parameter off it is removed");
}

#[test]
fn check_shows_the_opinion_of_every_node() {
    let (world, [a, b], cluster) = standby();
    world.cloud.set_credentials(b.id(), CredState::Missing404);
    world.cloud.disassociate(&world.address);
    cluster.start(&b).ok();
    let check = |arguments: &[&str]| a.ctl("check", arguments).tools_in(&cluster.bin());
    let shown =
        check(&[]).ok().prints_line(&["warn", &format!("node {}", name(&b)), "not ready", "credentials"]);
    shown.prints_line(&["-", &format!("node {}", name(&a)), "(not reported)"]);
    cluster.start(&a).ok();
    check(&["203.0.113.10"]).ok().prints_line(&[
        "ok",
        &format!("node {}", name(&a)),
        "ready ",
        " s ago: allowed",
    ]);
    let path = cluster.folder.join("nodes").join(name(&b)).join("eip-report-vip");
    fs::write(path, "at=1 ready=true here=no reason=old\n").unwrap();
    check(&[]).ok().prints_line(&["-  ", &format!("node {}", name(&b)), "s ago: old"]);
}

#[test]
fn parameters_that_are_malformed_fail_every_action_but_stop() {
    let (world, [a, b]) = SimulatedWorld::new();
    let cluster = AttributeCluster::new(&world, &[a.clone(), b]);
    for action in ["start", "validate-all", "reload-agent"] {
        let run = cluster.run(&a, action).param("dry_run_interval", "an hour");
        run.expect(6).reason("dry_run_interval=an hour").no_requests();
    }
    cluster.run(&a, "stop").param("dry_run_interval", "an hour").ok();
    cluster.run(&a, "migrate_to").expect(3);
}
