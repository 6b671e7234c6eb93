//! `eipctl check`: what a takeover would need, one line each.

use agent_tests::{Isolation, Run, RunOutcome, SimulatedWorld, black_hole, each, refusing};
use aws_sim::{Bind, FaultKind, ImdsState};

use crate::ctl::{configured, primitive, with_tools};
use crate::trouble::ec2;

fn lines<'a>(outcome: &'a RunOutcome, verdict: &str) -> Vec<&'a str> {
    let begins = format!("{verdict:4}  ");
    outcome.stdout.lines().filter(|line| line.starts_with(&begins)).collect()
}

/// [ctl-2]
#[test]
fn a_good_node_passes_and_nothing_is_changed() {
    let (world, [a, b]) = SimulatedWorld::new();
    world.give(&b);
    world.folder().program("ocf/resource.d/heartbeat/eip", "");
    let root = world.folder().path().join("ocf").display().to_string();
    let outcome = a.ctl("check", &["203.0.113.10"]).env("OCF_ROOT", root).ok().wrote_nothing();
    assert_eq!(
        (outcome.stderr.as_str(), lines(&outcome, "FAIL"), lines(&outcome, "warn")),
        ("", vec![], vec![])
    );
    for (subject, part) in [
        ("parameters", "203.0.113.10"),
        ("metadata service", "IMDSv2"),
        ("interface", "eni-"),
        ("clock", "AWS accepts the time"),
        ("credentials", "accepted"),
        ("address", "held by i-"),
        ("region", "eu-west-1"),
        ("border group", "the region's own"),
        ("permission to take", "AssociateAddress"),
        ("permission to release", "DisassociateAddress"),
        ("other resources", "10.0.1.10"),
        ("route to EC2", "127.0.0.1"),
        ("proxy", "none"),
        ("records", "is writable"),
        ("agent", "resource.d/heartbeat/eip"),
    ] {
        let begins = format!("ok    {subject:20}");
        let found = outcome.stdout.lines().any(|line| line.starts_with(&begins) && line.contains(part));
        assert!(found, "{subject}: {part}\n{}", outcome.told());
    }
    assert!(!a.state().exists(), "it wrote a record");
    world.held_by(&b);
}

#[test]
fn each_fault_is_a_line_with_what_would_be_right() {
    type Row = (
        &'static str,
        fn(&SimulatedWorld, &agent_tests::Node),
        &'static [&'static str],
        &'static [&'static str],
    );
    // The agent's own crate tests all other findings.
    let rows: [Row; 4] = [
        (
            "an interface that is not there",
            |_, _| (),
            &["--interface", "7"],
            &["FAIL", "interface", "name an interface"],
        ),
        (
            "no permission to release",
            |w, a| {
                w.give(a);
                w.cloud.deny("DisassociateAddress");
            },
            &[],
            &["FAIL", "permission to release", "eipctl policy"],
        ),
        (
            "another region",
            |_, _| (),
            &["--region", "us-east-1"],
            &["FAIL", "region", "us-east-1", "eu-west-1"],
        ),
        ("no agent for Pacemaker", |_, _| (), &[], &["warn", "agent", "/nowhere/resource.d/heartbeat/eip"]),
    ];
    each(rows.map(|row| (row.0, row)), |(_, prepare, arguments, parts)| {
        let (world, [a]) = SimulatedWorld::new();
        prepare(&world, &a);
        let run = a.ctl("check", &["203.0.113.10"]).arguments(arguments).env("OCF_ROOT", "/nowhere");
        let outcome = run.go().wrote_nothing().prints_line(parts);
        let failed = parts[0] == "FAIL";
        assert_eq!(outcome.code, i32::from(failed), "{}", outcome.told());
    });
}

#[test]
fn another_resource_on_the_same_target_is_a_failure() {
    let (world, [a]) = SimulatedWorld::new();
    a.start().ok();
    let other = world.cloud.allocate(Some([203, 0, 113, 11].into()));
    let outcome = a.ctl("check", &[&other.public_ip.to_string()]).expect(1);
    outcome.prints_line(&["FAIL", "other resources", "203.0.113.10 of resource vip"]);
    a.ctl("check", &["203.0.113.10"]).ok().prints_line(&["ok", "other resources"]);
}

#[test]
fn an_unknown_address_fails_and_what_needs_it_is_not_checked() {
    let (_world, [a]) = SimulatedWorld::new();
    let outcome = a.ctl("check", &["203.0.113.77"]).expect(1);
    let outcome = outcome.prints_line(&[
        "FAIL",
        "address",
        "InvalidAddress.NotFound",
        "name one of this account and region",
    ]);
    outcome
        .prints_line(&["-", "permission to take", "needs the address"])
        .prints_line(&["ok", "credentials"]);
}

#[test]
fn silence_of_one_leaves_time_for_the_others() {
    let (world, [a]) = SimulatedWorld::new();
    let silent = format!("http://{}", black_hole());
    let run = a.ctl("check", &["203.0.113.10", "--timeout", "8", "--endpoint-url", &silent]);
    let outcome = run.expect(1).prints_line(&["FAIL", "address", "open the route to the EC2 API"]);
    outcome.prints_line(&["ok", "interface"]).prints_line(&["ok", "records"]);
    world.cloud.set_imds_state(a.id(), ImdsState::Off403);
    let outcome = a.ctl("check", &["203.0.113.10", "--timeout", "8"]).expect(1);
    outcome.prints_line(&["FAIL", "metadata service", "IMDSv2"]).prints_line(&["ok", "records"]);
}

/// Turns this node into a container, on the instance that forwards to it, with the metadata service behind that.
const CONTAINER: &str = r"mkdir -p /run/netns
for one in instance service; do ip netns add $one; done
ip link add eth0 type veth peer name docker0 netns instance
ip -n instance link add eth0 type veth peer name eth0 netns service
ip address add 172.17.0.2/24 dev eth0
ip link set eth0 up
ip -n instance address add 172.17.0.1/24 dev docker0
ip -n instance address add 192.0.2.2/24 dev eth0
ip -n service address add 192.0.2.1/24 dev eth0
for link in 'instance link set docker0' 'instance link set eth0' 'service link set eth0'; do ip -n $link up; done
ip netns exec instance sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
ip route add 192.0.2.0/24 via 172.17.0.1
ip -n service route add 172.17.0.0/24 via 192.0.2.2
";

#[test]
fn a_container_that_no_answer_of_the_metadata_service_reaches_is_told_the_hop_limit() {
    let Some(isolation) = Isolation::new(CONTAINER) else { return };
    let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let netns = Some(world.isolation().unwrap().outside("/run/netns/service"));
    world.sim.serve_imds(a.id(), Bind { netns, addr: ([192, 0, 2, 1], 80).into() }).unwrap();
    let check = |host: &str| {
        let endpoint = format!("http://{host}");
        a.ctl("check", &["203.0.113.10", "--timeout", "20", "--imds-endpoint", &endpoint])
    };
    check("192.0.2.1").go().prints_line(&["ok", "metadata service"]);
    // Unreachable: no packet is answered.
    let elsewhere =
        check("192.0.2.9").expect(1).prints_line(&["FAIL", "metadata service", "on an EC2 instance"]);
    assert!(!elsewhere.stdout.contains("hop"), "{}", elsewhere.told());
    world.cloud.set_imds_state(a.id(), ImdsState::OneHop);
    let limit = "--http-put-response-hop-limit 2";
    check("192.0.2.1").expect(1).prints_line(&["FAIL", "metadata service", "does not answer", limit]);
}

#[test]
fn a_clock_that_is_off_is_reported() {
    let (world, [a]) = SimulatedWorld::new();
    let message = "Request has expired.".to_owned();
    let expired = FaultKind::Error { status: 400, code: "RequestExpired".to_owned(), message };
    world.cloud.fault(ec2("DescribeAddresses", expired).times(1));
    a.ctl("check", &["203.0.113.10"]).ok().prints_line(&["warn", "clock", "RequestExpired", "chronyd"]);
}

#[test]
fn a_failure_that_is_not_the_route_to_ec2_is_not_blamed_on_it() {
    let (world, [a]) = SimulatedWorld::new();
    let check = || a.ctl("check", &["203.0.113.10", "--timeout", "8"]).expect(1);
    world.cloud.deny("DescribeAddresses");
    check().prints_line(&["ok", "clock", "AWS accepts the time"]).prints_line(&["ok", "credentials"]);
    world.cloud.allow("DescribeAddresses");
    world.cloud.set_imds_state(a.id(), ImdsState::Off403);
    check().prints_line(&["FAIL", "address", "region unknown", "name the region"]);
    let without = a.ctl("check", &["203.0.113.10", "--timeout", "8", "--region", "eu-west-1"]).expect(1);
    let without = without.prints_line(&["-", "clock", "needs credentials"]);
    let without = without.prints_line(&["-", "address", "needs credentials"]);
    without.prints_line(&[
        "FAIL",
        "credentials",
        "no credentials",
        "have the source of the credentials answer",
    ]);
    world.cloud.set_imds_state(a.id(), ImdsState::On);
    let (code, message) = ("Unavailable".to_owned(), "The server is overloaded.".to_owned());
    world.cloud.fault(ec2("DescribeAddresses", FaultKind::Error { status: 503, code, message }));
    check().prints_line(&["FAIL", "address", "Unavailable", "EC2 answers with an error of its own"]);
}

#[test]
fn a_proxy_is_shown_without_its_password() {
    let (_world, [a]) = SimulatedWorld::new();
    let secret = "hunter2hunter2";
    let run = a.ctl("check", &["203.0.113.10", "--timeout", "8"]).secret(secret);
    let run = run.env("HTTP_PROXY", format!("http://user:{secret}@{}", refusing()));
    let outcome = run.go();
    outcome.prints_line(&["warn", "proxy", "http://127.0.0.1:1", "/etc/sysconfig/pacemaker"]);
}

#[test]
fn folders_that_cannot_be_written_are_a_warning() {
    let Some(isolation) = Isolation::new("mount -t tmpfs -o ro tmpfs /var/lib") else { return };
    let (_world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let outcome = a.ctl("check", &["203.0.113.10"]).no_env("EIP_STATE_DIR").ok();
    outcome.prints_line(&["warn", "records", "/var/lib/eip", "read-only"]);
}

#[test]
fn json_holds_the_same_findings() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.deny("AssociateAddress");
    let outcome = a.ctl("check", &["203.0.113.10", "--json"]).expect(1);
    for part in ["\"subject\": \"permission to take\"", "\"verdict\": \"FAIL\"", "\"remedy\": \"allow it in"]
    {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.starts_with('['), "{}", outcome.stdout);
}

#[test]
fn the_name_that_is_resolved_is_the_one_that_calls_go_to() {
    // Nothing resolves in there, so each name is in the reason for its failure.
    let Some(isolation) = Isolation::new("") else { return };
    let (_world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let hosts = [
        ("eu-west-1", "AWS_USE_DUALSTACK_ENDPOINT", "false", "ec2.eu-west-1.amazonaws.com"),
        ("eu-west-1", "AWS_USE_DUALSTACK_ENDPOINT", "true", "ec2.eu-west-1.api.aws"),
        ("cn-north-1", "AWS_USE_FIPS_ENDPOINT", "false", "ec2.cn-north-1.amazonaws.com.cn"),
        // In GovCloud the usual endpoint is the FIPS one.
        ("us-gov-west-1", "AWS_USE_FIPS_ENDPOINT", "true", "ec2.us-gov-west-1.amazonaws.com"),
        ("us-east-1", "AWS_USE_FIPS_ENDPOINT", "true", "ec2-fips.us-east-1.amazonaws.com"),
    ];
    each(hosts.map(|row| (row.3, row)), |(region, variable, value, host)| {
        let run = a.ctl("check", &["203.0.113.10", "--timeout", "3", "--region", region]);
        let run = run.no_env("AWS_ENDPOINT_URL_EC2").env(variable, value);
        run.expect(1).prints_line(&["FAIL", "route to EC2", &format!(" {host}:")]);
    });
}

/// What the agent cannot see: the meta attribute is in the cluster's configuration.
#[test]
fn live_moves_that_no_node_could_complete_are_refused() {
    let rows = [
        (false, "false", "ok", "not set"),
        (true, "false", "FAIL", "set allow_reassociation=true"),
        (false, "true", "warn", "set meta allow-migrate=true"),
        (true, "true", "ok", "one call"),
    ];
    for (live, may_take, verdict, part) in rows {
        let (world, [a, _]) = SimulatedWorld::new();
        a.start().param("allow_reassociation", may_take).ok();
        let parameters = [("elastic_ip", "203.0.113.10"), ("allow_reassociation", may_take)];
        let meta = format!(
            r#"<meta_attributes id="m"><nvpair id="n" name="allow-migrate" value="{live}"/></meta_attributes></primitive>"#
        );
        let resource = primitive("vip", "eip", &parameters).replace("</primitive>", &meta);
        let outcome = configured(&world, a.ctl("check", &["203.0.113.10"]), &resource).go();
        let begins = format!("{verdict:4}  live moves");
        let line = outcome.stdout.lines().find(|line| line.starts_with(&begins));
        assert!(line.is_some_and(|line| line.contains(part)), "{live} {may_take}\n{}", outcome.told());
        assert_eq!(outcome.code == 1, verdict == "FAIL", "{}", outcome.told());
    }
}

/// [ctl-11]
#[test]
fn parameters_by_rule_are_those_of_this_node_and_undecided_ones_are_not_a_failure() {
    const IS_HERE: &str = r##"<expression id="e" attribute="#uname" operation="eq" value="n1"/>"##;
    const DATE: &str = r#"<date_expression id="d" operation="gt" start="2030-01-01"/>"#;
    const REASON: &str = "private_ip_address depends on a rule that only Pacemaker can evaluate";
    let (world, [a, b]) = SimulatedWorld::new();
    world.give(&b);
    let with = |run: Run, rule: &str| {
        let resource = primitive("vip", "eip", &[("elastic_ip", "203.0.113.10")]);
        let sets = [(2, b.ip(1), rule), (1, a.ip(1), IS_HERE)].map(|(score, ip, rule)| {
            format!(
                r#"<instance_attributes id="s{score}" score="{score}"><rule id="r{score}" score="0">{rule}</rule>
                <nvpair id="p{score}" name="private_ip_address" value="{ip}"/></instance_attributes>"#
            )
        });
        let resource = resource.replace("</primitive>", &format!("{}</primitive>", sets.concat()));
        let cib = format!(
            "<cib><configuration><resources>{resource}</resources><constraints/></configuration></cib>"
        );
        with_tools(&world, run, &[("cibadmin", &cib), ("crm_node", "n1")])
    };
    let elsewhere = IS_HERE.replace("n1", "n2");
    let outcome = with(a.ctl("check", &[]), &elsewhere).ok();
    outcome.prints_line(&["ok", "interface", &a.ip(1).to_string()]);

    let outcome = with(a.ctl("check", &[]), DATE).ok().no_requests();
    let outcome =
        outcome.prints_line(&["-     parameters", REASON]).prints_line(&["-     live moves", REASON]);
    outcome.prints_line(&["warn  monitor"]);
    let given = ["--private-ip-address", &a.ip(1).to_string()];
    with(a.ctl("check", &given), DATE).ok().prints_line(&["ok", "interface", given[1]]);
    with(a.ctl("show", &[]), DATE).expect(1).no_requests().complains("eipctl", REASON);
    let outcome = with(a.ctl("status", &[]), DATE).ok();
    outcome.prints_line(&["n1", "unknown whether ready", REASON]);
    with(a.ctl("claim", &[]), DATE).expect(1).complains("eipctl", "the cluster has 203.0.113.10");
    world.held_by(&b);
}

#[test]
fn what_the_cluster_s_settings_cost_is_reported_with_what_would_be_right() {
    let (world, [a, _]) = SimulatedWorld::new();
    a.start().ok();
    let token = "#!/bin/sh\necho 'runtime.config.totem.token (u32) = 30000'\n";
    world.folder().program("bin/corosync-cmapctl", token);
    let resource = primitive("vip", "eip", &[("elastic_ip", "203.0.113.10")]);
    let outcome = configured(&world, a.ctl("check", &["203.0.113.10"]), &resource).ok();
    let slow = ["warn", "failover time", "67.0 s after a node dies", "a token of 1000 to 3000 ms"];
    outcome.prints_line(&slow).prints_line(&["warn", "monitor", "none"]).prints_line(&["warn", "stickiness"]);
}

/// Both called a node ready on which the cluster would not start the resource, and `check` listed nodes of the past.
///
/// [ctl-9] [ctl-10]
#[test]
fn a_node_that_the_cluster_bans_is_not_ready_and_one_that_was_removed_is_not_listed() {
    let (world, [a, _]) = SimulatedWorld::new();
    world.give(&a);
    let monitor = |banned: &str| {
        format!(
            r#"<crm_mon><nodes><node name="n1" online="true"/><node name="n2" online="true"/></nodes>
            <resources><resource id="vip" resource_agent="ocf:heartbeat:eip" role="Stopped" managed="true"/></resources>
            <node_history><node name="{banned}"><resource_history id="vip" migration-threshold="1000000"
            fail-count="1000000"/></node></node_history></crm_mon>"#
        )
    };
    let resource = primitive("vip", "eip", &[("elastic_ip", "203.0.113.10")]);
    let cib = format!(
        r#"<cib><configuration><resources>{resource}</resources><constraints/></configuration><status>
        <node_state uname="n1"/><node_state uname="n2"/><node_state uname="app-0"/></status></cib>"#
    );
    for (banned, other, verdict) in [("n1", "n2", "FAIL"), ("n2", "n1", "warn")] {
        let run = |command| {
            let tools = [("cibadmin", &*cib), ("crm_mon", &*monitor(banned)), ("crm_node", "n1")];
            with_tools(&world, a.ctl(command, &[]), &tools)
        };
        let reason = format!("banned after a failure: crm_resource --cleanup --resource vip --node {banned}");
        let outcome = run("check").expect((verdict == "FAIL").into());
        let begins = |verdict: &str, node: &str| format!("{verdict:4}  node {node:15}  ");
        let outcome = outcome.prints_line(&[&begins(verdict, banned), &reason]);
        assert!(!outcome.stdout.contains(&begins(verdict, other)), "{}", outcome.told());
        assert!(!outcome.stdout.contains("app-0"), "{}", outcome.told());
        run("status").ok().prints_line(&[banned, &format!("; NOT READY: {reason}")]);
    }
}

/// The stop of the second one, whose probe had found the address, took it from the first.
///
/// [ctl-10]
#[test]
fn a_second_resource_with_the_same_address_is_a_failure() {
    let (world, [a, _]) = SimulatedWorld::new();
    let address = [("elastic_ip", "203.0.113.10")];
    let resources = ["vip", "again"].map(|id| primitive(id, "eip", &address)).concat();
    let outcome = configured(&world, a.ctl("check", &["203.0.113.10"]), &resources).expect(1);
    outcome.prints_line(&["FAIL  same address", "again has this address too", "give each resource its own"]);
}
