//! `eipctl drill`, with scripts in place of Pacemaker's tools. With the real ones it is a scenario of the cluster tests.

use std::path::PathBuf;
use std::time::Duration;

use agent_tests::{KINDS, Node, ROUTE_TABLE, Run, SimulatedWorld, each, of_process};
use aws_sim::Cloud;

const STATUS: &str = r#"<pacemaker-result>
  <summary><current_dc present="true" name="n1" with_quorum="true"/></summary>
  <nodes>
    <node name="n1" online="true" standby="false" maintenance="false"/>
    <node name="n2" online="true" standby="false" maintenance="false"/>
  </nodes>
  <resources>
    <resource id="eip" resource_agent="ocf:heartbeat:eip" role="Started" managed="true" failed="false" blocked="false">
      <node name="@NODE@"/>
    </resource>
    <resource id="web" resource_agent="systemd:nginx" role="Started" managed="true" failed="false"><node name="n1"/></resource>
  </resources>
</pacemaker-result>
"#;
const CONFIGURATION: &str = r#"<cib><configuration><resources>
  <primitive id="eip" class="ocf" provider="heartbeat" type="eip">
    <instance_attributes id="i"><nvpair id="i1" name="elastic_ip" value="203.0.113.10"/></instance_attributes>
  </primitive>
</resources><constraints/></configuration></cib>
"#;
/// Keeps the resource's node in one file, and each command in another. Refuses one `--clear` if there is a file `busy`, and `--wait`
/// if there is one `occupied`. A `--move` shows the status `then` if there is one, and lasts as long as a file `slow`.
const RESOURCE_TOOL: &str = r#"#!/bin/sh
cd "${0%/*}/.." || exit 1
echo "$*" >>orders
env >>environment
[ "$1" != --clear ] || ! rm busy 2>/dev/null || exit 1
[ "$1" != --wait ] || ! [ -e occupied ] || exit 1
[ "$1" = --move ] || exit 0
while [ -e slow ]; do sleep 1; done
! [ -e then ] || mv then status
[ -e stuck ] || echo "$5" >where
echo moved >>orders
"#;
/// Output of `crm_mon` of Pacemaker 1.1 for `--output-as=xml`, shortened.
const OLD_MONITOR: &str = r#"case $* in *--as-xml*) ;; *)
echo "crm_mon: unrecognized option '--output-as=xml'
crm_mon - Provides a summary of cluster's current state.

Usage: crm_mon mode [options]
Options:
 -?, --help     This text

Report bugs to users@clusterlabs.org" >&2
exit 64 ;; esac
"#;
const LIMIT: Duration = Duration::from_secs(30);

/// A cluster of scripts.
struct ScriptedCluster {
    folder: PathBuf,
}

impl ScriptedCluster {
    fn new(world: &SimulatedWorld, status: &str, configuration: &str) -> Self {
        let folder = world.folder().path().join("pacemaker");
        let cluster = Self { folder: folder.clone() };
        for (name, text) in [("status", status), ("configuration", configuration), ("where", "n1\n")] {
            world.folder().write(&format!("pacemaker/{name}"), text);
        }
        let print =
            |text: &str| format!("#!/bin/sh\ncd \"${{0%/*}}/..\" || exit 1\nenv >>environment\n{text}\n");
        for (tool, script) in [
            ("crm_mon", print("read -r node <where; sed \"s/@NODE@/$node/\" status")),
            ("cibadmin", print("cat configuration; ! [ -e meanwhile ] || mv meanwhile configuration")),
            ("crm_resource", RESOURCE_TOOL.to_owned()),
        ] {
            world.folder().program(&format!("pacemaker/bin/{tool}"), &script);
        }
        cluster
    }

    fn drill(&self, node: &Node, arguments: &[&str]) -> Run {
        node.ctl("drill", &["eip"]).arguments(arguments).tools_in(&self.folder.join("bin"))
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    fn is_on(&self, node: &str) -> bool {
        self.text("where").trim() == node
    }
}

/// Two nodes in a healthy cluster. The first one has the address.
fn scripted() -> (SimulatedWorld, [Node; 2], ScriptedCluster) {
    let (world, nodes) = SimulatedWorld::new();
    world.give(&nodes[0]);
    let cluster = ScriptedCluster::new(&world, STATUS, CONFIGURATION);
    (world, nodes, cluster)
}

fn looks(cloud: &Cloud) -> usize {
    cloud.log().iter().filter(|request| request.is("DescribeAddresses")).count()
}

#[test]
fn it_moves_away_and_back_and_reports_how_long_the_address_was_unassigned() {
    let (world, [a, b], cluster) = scripted();
    let running = cluster.drill(&a, &["--yes", "--json", "--poll", "20"]).timeout_ms(60_000).spawn();
    world.wait(LIMIT, |_| cluster.is_on("n2"));
    world.give(&b);
    world.wait(LIMIT, |_| cluster.is_on("n1"));
    world.cloud.disassociate(&world.address);
    let before = looks(&world.cloud);
    world.wait(LIMIT, |cloud| looks(cloud) > before + 3);
    world.give(&a);
    let outcome = running.wait().exits(0);
    assert_eq!(outcome.stderr, "");
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&document["now_on"], &document["live"]), (&"n1".into(), &false.into()));
    let [away, back] = [&document["moves"][0], &document["moves"][1]];
    assert_eq!((&away["from"], &away["to"], &back["to"]), (&"n1".into(), &"n2".into(), &"n1".into()));
    assert_eq!(away["nobody_ms"]["at_least"], 0, "{away}");
    assert!(back["nobody_ms"]["at_least"].as_u64().unwrap() > 0, "{back}");
    let holders: Vec<_> = back["holders"].as_array().unwrap().iter().map(|one| &one["holder"]).collect();
    assert_eq!(holders.len(), 3, "{back}");
    assert!(holders[0].as_str().unwrap().contains(&b.id().to_string()) && holders[1].is_null());
    let orders = cluster.text("orders");
    let orders: Vec<&str> = orders.lines().collect();
    assert!(orders[0].starts_with("--move --resource eip --node n2 --lifetime=PT"), "{orders:?}");
    assert!(orders[2].starts_with("--move --resource eip --node n1 --lifetime=PT"), "{orders:?}");
    assert_eq!(orders[4], "--clear --resource eip");
    assert!(orders[5].starts_with("--wait") && orders.len() == 6, "{orders:?}");
    let records: Vec<_> = std::fs::read_dir(a.state().join("durable")).unwrap().flatten().collect();
    let [record] = records.as_slice() else { panic!("one record, of the drill itself: {records:?}") };
    let record = std::fs::read_to_string(record.path()).unwrap();
    assert!(record.contains(r#""drills""#) && record.contains(r#""history": []"#), "{record}");
}

#[test]
fn a_report_shows_this_drill_and_earlier_ones() {
    let (world, [a, b]) = SimulatedWorld::new();
    let cluster = ScriptedCluster::new(&world, STATUS, CONFIGURATION);
    let file = world.folder().path().join("drill.html");
    let name = file.display().to_string();
    for _ in 0..2 {
        world.give(&a);
        std::fs::write(cluster.folder.join("where"), "n1\n").unwrap();
        let running = cluster.drill(&a, &["--yes", "--stay", "--report", &name]).timeout_ms(60_000).spawn();
        world.wait(LIMIT, |_| cluster.is_on("n2"));
        world.give(&b);
        running.wait().exits(0).prints_line(&["the report is in", &name]);
    }
    let html = std::fs::read_to_string(file).unwrap();
    assert_eq!(html.matches("<td class=\"text\">n1 → n2</td>").count(), 2, "{html}");
    for part in [
        "<svg class=\"timeline\"",
        "Drill of eip (203.0.113.10)",
        ">on n2</text>",
        "no monitor",
        "allow-migrate",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
}

#[test]
fn it_can_stay_and_shows_a_person_what_clients_met() {
    let (world, [a, b], cluster) = scripted();
    let run = cluster.drill(&a, &["--yes", "--stay", "--to", "n2", "--probe", "http://web.example:9/x"]);
    let running = run.timeout_ms(60_000).spawn();
    world.wait(LIMIT, |_| cluster.is_on("n2"));
    world.give(&b);
    let outcome = running.wait().exits(0);
    let outcome = outcome.prints_line(&["n1 -> n2: done after"]).prints_line(&["no holder", "at most"]);
    let outcome = outcome.prints_line(&["EC2", a.id().as_ref(), b.id().as_ref()]);
    // In these tests no client gets an answer at this address.
    outcome
        .prints_line(&["clients", "port 9 did not answer"])
        .prints_line(&["eip (203.0.113.10) is on n2; the constraint of the move is removed"]);
    assert_eq!(cluster.text("orders").matches("--move").count(), 1);
}

/// [ctl-7]
#[test]
fn the_only_address_of_the_cluster_is_moved_of_whatever_kind_it_is() {
    for kind in &KINDS {
        let two = kind.nodes();
        two.give(&two.here);
        let other = |text: &str| {
            let tables = if kind.name == "overlay-ip" {
                format!(r#"<nvpair id="i2" name="routing_table" value="{ROUTE_TABLE}"/>"#)
            } else {
                String::new()
            };
            let address = format!(r#"name="{}" value="{}"/>{tables}"#, kind.address, kind.by_hand[0]);
            let text = text.replace(r#"name="elastic_ip" value="203.0.113.10"/>"#, &address);
            text.replace("heartbeat:eip", &format!("heartbeat:{}", kind.name))
                .replace(r#"type="eip""#, &format!(r#"type="{}""#, kind.name))
        };
        let cluster = ScriptedCluster::new(&two.world, &other(STATUS), &other(CONFIGURATION));
        let run = two.here.ctl("drill", &["--yes", "--stay"]).tools_in(&cluster.folder.join("bin"));
        let running = run.timeout_ms(60_000).spawn();
        two.world.wait(LIMIT, |_| cluster.is_on("n2"));
        two.give(&two.peer);
        let outcome = running.wait().exits(0);
        let outcome = outcome.prints_line(&["EC2", &two.logged_as(&two.here), &two.logged_as(&two.peer)]);
        outcome.prints_line(&[&format!("eip ({}) is on n2", kind.by_hand[0])]);
    }
}

/// [ctl-4]
#[test]
fn it_works_on_pacemaker_1_1_whose_crm_mon_answers_an_unknown_option_with_its_whole_usage() {
    let (world, [a, b], cluster) = scripted();
    let tool = cluster.folder.join("bin/crm_mon");
    let script = std::fs::read_to_string(&tool).unwrap();
    std::fs::write(tool, script.replacen('\n', &format!("\n{OLD_MONITOR}"), 1)).unwrap();
    let running = cluster.drill(&a, &["--yes", "--stay"]).timeout_ms(60_000).spawn();
    world.wait(LIMIT, |_| cluster.is_on("n2"));
    world.give(&b);
    running.wait().exits(0).prints_line(&["eip (203.0.113.10) is on n2"]);
}

#[test]
fn what_does_not_move_is_reported_and_the_constraint_is_taken_back_in_several_attempts() {
    let (_world, [a, _], cluster) = scripted();
    for file in ["stuck", "busy"] {
        std::fs::write(cluster.folder.join(file), "").unwrap();
    }
    let outcome = cluster.drill(&a, &["--yes", "--timeout", "2"]).expect(1);
    let outcome = outcome.complains("eipctl", "eip is not started on n2 after 2 s");
    outcome.says("the constraint of the move is removed");
    let orders = cluster.text("orders");
    assert_eq!(orders.matches("--clear").count(), 2, "{orders}");
    assert!(orders.ends_with("--clear --resource eip\n"), "{orders}");
}

#[test]
fn a_move_that_leaves_the_address_down_says_so() {
    let (world, [a, _], cluster) = scripted();
    let node = r#"<node name="@NODE@"/>"#;
    let stopped = STATUS.replacen(r#"role="Started""#, r#"role="Stopped""#, 1).replace(node, "");
    world.folder().write("pacemaker/then", &stopped);
    let outcome = cluster.drill(&a, &["--yes", "--timeout", "2"]).expect(1);
    let outcome = outcome.complains("eipctl", "eip is not started on n2 after 2 s");
    outcome.says("the constraint of the move is removed; eip is down: it runs on no node");
}

/// The drill was reported as failed, and its figures were lost.
#[test]
fn a_cluster_that_is_busy_with_something_else_costs_no_figures() {
    let (world, [a, b], cluster) = scripted();
    std::fs::write(cluster.folder.join("occupied"), "").unwrap();
    let file = world.folder().path().join("drill.html");
    let name = file.display().to_string();
    let running = cluster.drill(&a, &["--yes", "--stay", "--report", &name]).timeout_ms(60_000).spawn();
    world.wait(LIMIT, |_| cluster.is_on("n2"));
    world.give(&b);
    running
        .wait()
        .exits(0)
        .prints_line(&["is on n2; the constraint of the move is removed; the cluster is still busy"]);
    assert!(std::fs::read_to_string(file).unwrap().contains("n1 → n2"));
    assert_eq!(std::fs::read_dir(a.state().join("durable")).unwrap().count(), 1, "the record of the drill");
}

#[test]
fn the_first_move_is_on_record_also_if_the_second_one_fails() {
    let (world, [a, b], cluster) = scripted();
    let file = world.folder().path().join("drill.html");
    let name = file.display().to_string();
    let run = cluster.drill(&a, &["--yes", "--timeout", "3", "--report", &name]).timeout_ms(60_000);
    let running = run.spawn();
    world.wait(LIMIT, |_| cluster.is_on("n2"));
    std::fs::write(cluster.folder.join("stuck"), "").unwrap();
    world.give(&b);
    running.wait().exits(1).complains("eipctl", "eip is not started on n1 after 3 s");
    assert!(std::fs::read_to_string(file).unwrap().contains("n1 → n2"));
    assert_eq!(std::fs::read_dir(a.state().join("durable")).unwrap().count(), 1, "the record of the drill");
}

/// While a person answered, an operator had moved it by hand, and the drill removed that constraint.
///
/// [ctl-4]
#[test]
fn what_changes_before_the_move_stops_the_drill() {
    let (world, [a, _], cluster) = scripted();
    let constraint = r#"<constraints><rsc_location id="cli-prefer-eip" rsc="eip"/></constraints>"#;
    world.folder().write("pacemaker/meanwhile", &CONFIGURATION.replace("<constraints/>", constraint));
    cluster.drill(&a, &["--yes"]).expect(1).complains("eipctl", "constraint cli-prefer-eip is left");
    assert_eq!(cluster.text("orders"), "");
}

/// The constraint was cleared before it was set, and stayed.
///
/// [ctl-4]
#[test]
fn a_move_that_is_still_being_requested_is_awaited_before_the_constraint_is_cleared() {
    let (world, [a, _], cluster) = scripted();
    let slow = cluster.folder.join("slow");
    std::fs::write(&slow, "").unwrap();
    let running = cluster.drill(&a, &["--yes"]).spawn();
    world.wait(LIMIT, |_| cluster.text("orders").contains("--move"));
    running.kill();
    std::fs::remove_file(slow).unwrap();
    let expected = "moved\n--wait --timeout=120\n--clear --resource eip\n";
    world.wait(LIMIT, |_| cluster.text("orders").contains("--clear"));
    world.wait(LIMIT, |_| cluster.is_on("n2"));
    assert!(cluster.text("orders").ends_with(expected), "{}", cluster.text("orders"));
}

/// [ctl-4]
#[test]
fn a_drill_that_is_killed_leaves_no_constraint() {
    let (world, [a, _], cluster) = scripted();
    let running = cluster.drill(&a, &["--yes"]).spawn();
    world.wait(LIMIT, |_| cluster.is_on("n2"));
    std::fs::write(cluster.folder.join("busy"), "").unwrap();
    running.kill();
    // After the move in progress, and again if it is refused.
    let expected = "--wait --timeout=120\n--clear --resource eip\n--clear --resource eip\n";
    world.wait(LIMIT, |_| cluster.text("orders").ends_with(expected));
}

#[test]
fn the_tools_of_the_cluster_learn_no_credentials() {
    let (world, [a]) = SimulatedWorld::new();
    world.give(&a);
    world.cloud.add_access_key("AKIDOFANOPERATOR", "the-secret-of-an-operator");
    let cluster = ScriptedCluster::new(&world, STATUS, CONFIGURATION);
    let run = cluster.drill(&a, &["--yes"]).env("AWS_ACCESS_KEY_ID", "AKIDOFANOPERATOR");
    let run =
        run.env("AWS_SECRET_ACCESS_KEY", "the-secret-of-an-operator").secret("the-secret-of-an-operator");
    let running = run.spawn();
    world.wait(LIMIT, |_| cluster.is_on("n2"));
    // The shell that clears the constraint if this one is killed is such a tool, too.
    let told: Vec<String> = running.children().into_iter().map(|pid| of_process(pid, "environ")).collect();
    running.kill();
    assert!(!told.is_empty(), "there is no guard");
    for text in told.into_iter().chain([cluster.text("environment")]) {
        assert!(text.contains("LC_ALL=C") && !text.contains("AWS_"), "{text}");
    }
}

/// [ctl-4]
#[test]
fn nothing_is_moved_without_consent_or_without_need() {
    // The unit tests have every other obstacle. Each row: what differs from a healthy cluster, the arguments, the exit code and the message.
    type Row = (&'static str, (&'static str, &'static str), &'static [&'static str], (i32, &'static str));
    let rows: [Row; 7] = [
        (
            "nothing to write to",
            ("", ""),
            &["--yes", "--report", "/nowhere/a.html"],
            (1, "--report /nowhere/a.html: No such file"),
        ),
        ("a failure and a destination", ("", ""), &["--kill", "--to", "n2"], (2, "cannot be used with")),
        ("no terminal to confirm on", ("", ""), &[], (2, "needs --yes")),
        (
            "another resource",
            ("ocf:heartbeat:eip", "ocf:heartbeat:IPaddr2"),
            &["--yes"],
            (1, "expected one of ocf:heartbeat:eip, "),
        ),
        ("no port", ("", ""), &["--yes", "--probe", "web"], (2, "expected a port or a URL")),
        (
            "a constraint that is left",
            ("<constraints/>", r#"<constraints><rsc_location id="cli-prefer-eip" rsc="eip"/></constraints>"#),
            &["--yes"],
            (1, "cli-prefer-eip"),
        ),
        (
            "a configuration that can't be",
            ("203.0.113.10", "203.0.113"),
            &["--yes"],
            (1, "the configuration of eip: elastic_ip"),
        ),
    ];
    each(rows.map(|row| (row.0, row)), |(_, (from, to), arguments, (code, part))| {
        let (world, [a]) = SimulatedWorld::new();
        world.give(&a);
        let cluster =
            ScriptedCluster::new(&world, &STATUS.replace(from, to), &CONFIGURATION.replace(from, to));
        cluster.drill(&a, arguments).expect(code).complains("eipctl", part).wrote_nothing();
        assert_eq!(cluster.text("orders"), "");
    });
    let (world, [a]) = SimulatedWorld::new();
    let cluster = ScriptedCluster::new(&world, STATUS, CONFIGURATION);
    cluster.drill(&a, &["--yes"]).expect(1).complains("eipctl", "203.0.113.10 is unassigned");
    cluster
        .drill(&a, &["--yes", "--endpoint-url", "http://127.0.0.1:9", "--timeout", "3"])
        .expect(1)
        .complains("eipctl", "DescribeAddresses");
    std::fs::write(
        cluster.folder.join("status"),
        r#"<pacemaker-result><status message="Not connected"/></pacemaker-result>"#,
    )
    .unwrap();
    cluster.drill(&a, &["--yes"]).expect(1).complains("eipctl", "crm_mon: unreadable answer");
}

#[test]
fn a_machine_without_a_cluster_is_reported() {
    let (_world, [a]) = SimulatedWorld::new();
    a.ctl("drill", &["eip", "--yes"]).expect(1).complains("eipctl", "cibadmin").no_requests();
    a.ctl("drill", &["--yes"]).expect(1).complains("eipctl", "cibadmin").no_requests();
}
