//! Examples that add something to the minimal cluster: a second address, fencing, a web server, the addresses of SAP and of a
//! shared VPC.

use std::net::{IpAddr, Ipv4Addr};

use aws_sim::RouteTableSpec;
use cluster::error::{HarnessError, Result, ensure};
use cluster::pacemaker::RESOURCE;
use cluster::topology::{NodeName, OVERLAY_IP, PREFIX_LEN};
use cluster::wait::{Polled, now, until};

use super::Tool;
use super::stage::{SETTLE_LIMIT, Stage};

const SECOND: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 11);
/// The overlay address of ERS.
const ERS_IP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 10, 2));
/// The account that owns the shared VPC.
const OWNER: &str = "210987654321";

pub(super) fn several_addresses(stage: &mut Stage) -> Result<String> {
    if stage.cluster().world().cloud().history(SECOND).is_empty() {
        stage.cluster().world().cloud().allocate(Some(SECOND));
    }
    for node in stage.cluster().nodes() {
        second_private_address(stage, node)?;
    }
    let began = now();
    let mut script = stage.script("several-addresses.sh").with("ELASTIC_IP", SECOND);
    for (number, node) in stage.cluster().nodes().iter().enumerate() {
        script = script.with(&format!("PRIVATE{}", number + 1), secondary(*node));
    }
    let places: Vec<_> =
        stage.cluster().nodes().into_iter().map(|node| format!("{node}={}", secondary(node))).collect();
    let mut named = vec![
        "+ primitive eip-second ocf:heartbeat:eip".to_owned(),
        format!("+ eip-second elastic_ip={SECOND}"),
        format!("+ eip-second private_ip_address={}", places.join(",")),
        "+ eip-second op interval=10s name=monitor timeout=20s".to_owned(),
        "+ eip-second meta allow-migrate=true".to_owned(),
        "+ rsc_colocation rsc=eip-second score=INFINITY with-rsc=eip".to_owned(),
    ];
    named.extend(other_operations(stage.tool(), "eip-second"));
    stage.run_changing(&script, &named)?;
    let holder = stage.settle(None)?;
    stage.cluster_mut().ensure_untouched(began)?;
    second_is_on(stage, holder)?;
    if stage.tool() == Tool::Pcs09 {
        return Ok("both on one node, each on a private address of its own".into());
    }
    stage.move_without_a_gap()?;
    let holder = stage.settle(None)?;
    second_is_on(stage, holder)?;
    // Both follow the failure of their node, each to its own private address there.
    stage.cluster_mut().power_off(holder)?;
    let survivor = stage.cluster().settle(None, SETTLE_LIMIT)?;
    ensure(survivor != holder, || format!("still on {holder}"))?;
    second_is_on(stage, survivor)?;
    stage.repair_all()?;
    stage.settle(Some(survivor))?;
    Ok(format!("both from {holder} to {survivor}, each on a private address of its own"))
}

pub(super) fn announce(stage: &mut Stage) -> Result<String> {
    let note = "/run/harness/announced";
    stage.everywhere(&[
        "sh",
        "-c",
        &format!("rm -f /dev/shm/moves; printf '#!/bin/sh\\necho \"$1\" >>/dev/shm/moves\\n' >{note}; chmod 755 {note}"),
    ])?;
    let recipient = format!("command={note}");
    let script = stage.script("announce.sh").with("RECIPIENT", &recipient);
    let named = [
        "+ alert path=/usr/share/pacemaker/alerts/eip-alert".to_owned(),
        "+ eip_alert_timeout=20".to_owned(),
        "+ meta timeout=30s".to_owned(),
        format!("+ recipient value={recipient}"),
    ];
    let began = now();
    stage.run_changing(&script, &named)?;
    let from = stage.settle(None)?;
    stage.cluster_mut().ensure_untouched(began)?;
    stage.cluster_mut().set_standby(from, true)?;
    let to = stage.settle(None)?;
    stage.cluster_mut().set_standby(from, false)?;
    stage.settle(Some(to))?;
    let moves = until("the announcement", SETTLE_LIMIT, || {
        Polled::tolerant(stage.cluster().node(to)?.run(&["cat", "/dev/shm/moves"]))
    })?;
    ensure(moves.lines().count() == 1 && moves.contains(&format!(" on {to}: ")), || {
        format!("announced: {moves}")
    })?;
    ensure(stage.cluster().node(from)?.run(&["cat", "/dev/shm/moves"]).is_err(), || {
        format!("{from} announced, too")
    })?;
    Ok(format!("one line: {}", moves.trim()))
}

pub(super) fn fencing(stage: &mut Stage) -> Result<String> {
    let began = now();
    let mut script = stage.script("fencing.sh").with("REGION", "eu-west-1");
    for (number, node) in stage.cluster().nodes().iter().enumerate() {
        script = script.with(&format!("INSTANCE{}", number + 1), node.instance());
    }
    let mut named =
        vec!["- property stonith-enabled=false".to_owned(), "+ property stonith-enabled=true".to_owned()];
    let nodes: Vec<_> =
        stage.cluster().nodes().into_iter().map(|node| format!("{node}:{}", node.instance())).collect();
    if stage.tool() == Tool::Pcs09 {
        for ((number, host), delay) in (1..).zip(&nodes).zip(["15s", "0s"]) {
            named.extend(device(&format!("fence-{number}"), host));
            named.push(format!("+ fence-{number} pcmk_delay_base={delay}"));
        }
    } else {
        named.extend(device("fence", &nodes.join(";")));
        named.extend([
            "+ property priority-fencing-delay=15s".to_owned(),
            "+ eip meta priority=10".to_owned(),
        ]);
    }
    stage.run_changing(&script, &named)?;
    // Its start and its monitors query the simulated EC2 for the instances, through fence_aws itself.
    let devices: &[&str] = if stage.tool() == Tool::Pcs09 { &["fence-1", "fence-2"] } else { &["fence"] };
    for device in devices {
        stage.wait_started(device, 1)?;
    }
    stage.settle(None)?;
    stage.cluster_mut().ensure_untouched(began)?;
    for node in stage.cluster().nodes() {
        let devices = stage.cluster().run(&["stonith_admin", "--list", &node.to_string()])?;
        ensure(devices.contains("fence"), || format!("no device can fence {node}: {devices}"))?;
    }
    let property = |name| stage.cluster().run(&["crm_attribute", "--query", "--quiet", "--name", name]);
    ensure(property("stonith-enabled")?.trim() == "true", || "fencing is not on".into())?;
    if stage.tool() != Tool::Pcs09 {
        ensure(property("priority-fencing-delay")?.trim() == "15s", || "no priority-fencing-delay".into())?;
    }
    Ok("fence_aws sees the instances; the address was not touched".into())
}

pub(super) fn health(stage: &mut Stage) -> Result<String> {
    let began = now();
    let named = [
        "+ clone health-clone",
        "+ health-clone primitive health ocf:heartbeat:eip-health",
        "+ health dry_run_interval=3600",
        "+ health op interval=60s name=monitor timeout=60s",
        "+ health op interval=0 *",
        "+ rsc_location rsc=eip",
        "+ rule score=-INFINITY",
        "+ expression attribute=eip-ready-eip operation=eq value=false",
    ];
    stage.run_changing(&stage.script("health.sh"), &named)?;
    let ready = |node: &NodeName| -> Result<bool> {
        let query = format!("attrd_updater --query --name eip-ready-eip --node {node}");
        let said = stage.cluster().run(&["sh", "-c", &format!("{query} || true")])?;
        Ok(said.contains("value=\"true\""))
    };
    for node in stage.cluster().nodes() {
        until(&format!("{node} to be ready"), SETTLE_LIMIT, || {
            Ok(if ready(&node)? { Polled::There(()) } else { Polled::NotYet("not reported".into()) })
        })?;
    }
    stage.settle(None)?;
    stage.cluster_mut().ensure_untouched(began)?;
    Ok("both nodes report that they could take the address; it was not touched".into())
}

/// The configuration of a device that fences some nodes.
fn device(id: &str, host_map: &str) -> impl Iterator<Item = String> {
    let parameters = [
        "region=eu-west-1".to_owned(),
        format!("pcmk_host_map={host_map}"),
        "power_timeout=240".to_owned(),
        "pcmk_reboot_timeout=480".to_owned(),
        "pcmk_reboot_retries=4".to_owned(),
        "op interval=5min name=monitor timeout=60s".to_owned(),
    ];
    let parameters = parameters.map(|parameter| format!("+ {id} {parameter}"));
    [format!("+ primitive {id} stonith:fence_aws")].into_iter().chain(parameters)
}

/// The operations that are not repeated: pcs takes them from the agent's meta-data, the examples for crmsh write them out.
fn other_operations(tool: Tool, id: &str) -> Vec<String> {
    if tool != Tool::Crmsh {
        return vec![format!("+ {id} op interval=0 *")];
    }
    ["start", "stop"].map(|name| format!("+ {id} op interval=0 name={name} timeout=60s")).to_vec()
}

pub(super) fn web_server(stage: &mut Stage) -> Result<String> {
    stage.serve(false)?;
    let agent = stage.cluster().addresses().first().map_or("", |address| address.agent);
    let mut named: Vec<String> = [
        "+ group web-service",
        "+ web-service primitive web ocf:heartbeat:nginx",
        &format!("- primitive eip ocf:heartbeat:{agent}"),
        &format!("+ web-service primitive eip ocf:heartbeat:{agent}"),
        "- eip meta allow-migrate=true",
        "+ eip meta allow-migrate=false",
        "+ web httpd=/usr/sbin/nginx",
        "+ web configfile=/etc/nginx/nginx.conf",
        "+ web status10url=http://127.0.0.1/",
        "+ web status10regex=.",
        "+ web op interval=5s name=monitor timeout=20s",
        "+ web op interval=15s name=monitor timeout=30s",
        "+ web op monitor 15s OCF_CHECK_LEVEL=10",
    ]
    .map(str::to_owned)
    .to_vec();
    named.extend(other_operations(stage.tool(), "web"));
    stage.run_changing(&stage.script("web-server.sh"), &named)?;
    let holder = stage.settle(None)?;
    let web = stage.wait_started("web", 1)?;
    ensure(web == [holder.to_string()], || format!("web on {web:?}, the address on {holder}"))?;
    if stage.tool() == Tool::Pcs09 {
        return Ok(format!("server and address on {holder}"));
    }
    // A server that fails and does not come back takes the address with it: here it is not allowed to run at all.
    let began = now();
    stage.cluster_mut().set_standby(holder, true)?;
    let other = stage.settle(None)?;
    ensure(other != holder, || format!("still on {holder}"))?;
    server_first(stage, other, began)?;
    stage.cluster_mut().set_standby(holder, false)?;
    stage.settle(Some(other))?;
    Ok(format!("server and address together from {holder} to {other}, the server first"))
}

pub(super) fn sap(stage: &mut Stage) -> Result<String> {
    for table in stage.cluster().world().route_tables() {
        stage.cluster().world().cloud().route(table, ERS_IP, "tgw-0c10d000000000001");
    }
    let script = stage.script("overlay-sap.sh").with("ASCS_IP", OVERLAY_IP).with("ERS_IP", ERS_IP);
    let mut named = Vec::new();
    for (group, address, ip, profile) in
        [("ascs", RESOURCE, OVERLAY_IP, "EN1_ASCS00_sapascs"), ("ers", "ip-ers", ERS_IP, "EN1_ERS10_sapers")]
    {
        named.extend([
            format!("+ group {group}"),
            format!("+ {group} primitive {address} ocf:heartbeat:overlay-ip"),
            format!("+ {address} overlay_ip={ip}"),
            format!("+ {address} routing_table=auto"),
            format!("+ {address} op interval=60s name=monitor timeout=60s"),
            format!("+ {group} primitive sap-{group} ocf:heartbeat:SAPInstance"),
            format!("+ sap-{group} InstanceName={profile}"),
            format!("+ sap-{group} START_PROFILE=/sapmnt/EN1/profile/{profile}"),
            format!("+ sap-{group} AUTOMATIC_RECOVER=false"),
            format!("+ sap-{group} op interval=20s name=monitor on-fail=restart timeout=60s"),
        ]);
        for (id, limit) in [(address, 180), (&format!("sap-{group}"), 600)] {
            named.extend(
                ["start", "stop"].map(|name| format!("+ {id} op interval=0 name={name} timeout={limit}s")),
            );
            if stage.tool() != Tool::Crmsh {
                named.push(format!("+ {id} op interval=0 *"));
            }
        }
    }
    named.extend(
        [
            "+ sap-ascs meta resource-stickiness=5000",
            "+ sap-ers IS_ERS=true",
            "+ rsc_colocation rsc=ers score=-5000 with-rsc=ascs",
            "+ rsc_order first=ascs first-action=start kind=Optional symmetrical=false then=ers then-action=stop",
        ]
        .map(str::to_owned),
    );
    stage.run_changing(&script, &named)?;
    let ascs = stage.settle(None)?;
    let ers = stage.other(ascs)?;
    sap_is_on(stage, ascs, ers)?;
    if stage.tool() == Tool::Pcs09 {
        return Ok(format!("ASCS on {ascs}, ERS on {ers}"));
    }
    // ASCS moves to ERS, which has its locks; ERS leaves when there is another node.
    stage.cluster_mut().power_off(ascs)?;
    let survivor = stage.cluster().settle(None, SETTLE_LIMIT)?;
    ensure(survivor == ers, || format!("ASCS on {survivor}"))?;
    sap_is_on(stage, ers, ers)?;
    stage.repair_all()?;
    stage.settle(Some(ers))?;
    sap_is_on(stage, ers, ascs)?;
    Ok(format!("ASCS from {ascs} to {ers}, where ERS was; ERS to {ascs}"))
}

/// Waits until instances and addresses of ASCS and ERS are on these nodes.
fn sap_is_on(stage: &Stage, ascs: NodeName, ers: NodeName) -> Result<()> {
    for (instance, ip, node) in [("sap-ascs", OVERLAY_IP, ascs), ("sap-ers", ERS_IP, ers)] {
        until(&format!("{instance} and {ip} on {node}"), SETTLE_LIMIT, || {
            let on = (
                stage.wait_started(instance, 1)?,
                stage.cluster().world().holder_of(ip),
                stage.cluster().devices_with(ip)?,
            );
            let there = on == (vec![node.to_string()], Some(node), vec![node]);
            Ok(if there { Polled::There(()) } else { Polled::NotYet(format!("{on:?}")) })
        })?;
    }
    Ok(())
}

pub(super) fn shared_vpc(stage: &mut Stage) -> Result<String> {
    give_tables_to(stage, Some(OWNER));
    let tables: Vec<_> = stage.cluster().world().route_tables().iter().map(ToString::to_string).collect();
    let role = format!("arn:aws:iam::{OWNER}:role/cluster-routes");
    let script = stage.script("overlay-shared-vpc.sh").with("OVERLAY_IP", OVERLAY_IP);
    let script = script.with("ROUTING_TABLE", tables.join(",")).with("ROUTING_TABLE_ROLE", &role);
    let mut named = vec![
        format!("+ primitive {RESOURCE} ocf:heartbeat:overlay-ip"),
        format!("+ {RESOURCE} overlay_ip={OVERLAY_IP}"),
        format!("+ {RESOURCE} routing_table={}", tables.join(",")),
        format!("+ {RESOURCE} routing_table_role={role}"),
        format!("+ {RESOURCE} op interval=10s name=monitor timeout=20s"),
        format!("+ {RESOURCE} meta allow-migrate=true"),
    ];
    named.extend(other_operations(stage.tool(), RESOURCE));
    stage.run_changing(&script, &named)?;
    let holder = stage.settle(None)?;
    stage.move_without_a_gap()?;
    give_tables_to(stage, None);
    Ok(format!("the tables of {OWNER} led to {holder}"))
}

/// Makes an account own the route tables, or the nodes' own one if `None`; their routes stay the same. No account sees those of another.
fn give_tables_to(stage: &Stage, owner: Option<&str>) {
    let world = stage.cluster().world();
    for (number, table) in (1..).zip(world.route_tables()) {
        let target = world.cloud().route_of(table, OVERLAY_IP).unwrap_or_default();
        let owner = owner.map(str::to_owned);
        world.cloud().add_route_table(RouteTableSpec { owner, ..RouteTableSpec::numbered(number) });
        world.cloud().route(table, OVERLAY_IP, &target);
    }
}

/// Asserts that the address reaches a node only when the server runs there.
fn server_first(stage: &mut Stage, on: NodeName, from: f64) -> Result<()> {
    use cluster::pacemaker::journal::EventKind;
    let events = stage.cluster_mut().events_since(from)?;
    let begun = |name: &str| {
        let starts = events.iter().filter(|event| event.node == on);
        let mut times = starts.filter_map(|event| match &event.kind {
            EventKind::Executing { action, resource } if action == "start" && resource == name => {
                Some(event.at)
            }
            _ => None,
        });
        times.next().ok_or_else(|| HarnessError::Wrong(format!("{name} was not started on {on}")))
    };
    let (web, eip) = (begun("web")?, begun("eip")?);
    ensure(web < eip, || format!("the address was started {:.2} s before the server", web - eip))
}

/// Assigns a secondary private address to a node's interface, in EC2 and on the node, as the example requires.
fn second_private_address(stage: &Stage, node: NodeName) -> Result<()> {
    let (address, world) = (secondary(node), stage.cluster().world());
    // Another tool's example may have done it already.
    if world.holder_of(address) != Some(node) {
        world.assign_private(address, node)?;
    }
    let local = format!("{address}/{PREFIX_LEN}");
    stage.cluster().node(node)?.run(&["ip", "address", "replace", &local, "dev", "eth0"]).map(drop)
}

fn secondary(node: NodeName) -> Ipv4Addr {
    let [a, b, c, _] = node.address().octets();
    Ipv4Addr::new(a, b, c, 21)
}

fn second_is_on(stage: &Stage, node: NodeName) -> Result<()> {
    until("the second address in its place", SETTLE_LIMIT, || {
        let holder = stage.cluster().world().cloud().holder(SECOND);
        let right = holder.as_ref().is_some_and(|holder| {
            holder.instance.as_str() == node.instance() && holder.private_ip == secondary(node)
        });
        Ok(if right { Polled::There(()) } else { Polled::NotYet(format!("{holder:?}")) })
    })?;
    let on = stage.wait_started("eip-second", 1)?;
    ensure(on == [node.to_string()], || format!("the second resource is on {on:?}"))
}
