//! Examples that replace an older agent by this one. The proof is the simulator's history: no change of holder.

use cluster::error::{HarnessError, Result, ensure};
use cluster::pacemaker::RESOURCE;
use cluster::topology::{ELASTIC_IP, NodeName, OVERLAY_IP};
use cluster::wait::now;

use super::Tool;
use super::stage::{SETTLE_LIMIT, Stage};

const INSTALLED: &str = "/usr/lib/ocf/resource.d/heartbeat/eip";
/// The default, which crmsh writes out when it manages a resource again.
const MANAGED: &str = "+ eip meta is-managed=true";
/// Name of the log of changes on the devices.
const DEVICES: &str = "devices";

pub(super) fn from_one_parameter(stage: &mut Stage) -> Result<String> {
    stage.cluster().run(&["pcs", "resource", "delete", RESOURCE])?;
    stage.everywhere(&["install", "-m", "755", "/run/harness/one-parameter-eip", INSTALLED])?;
    // As in that agent's own documents.
    let create = format!(
        "pcs resource create {RESOURCE} ocf:heartbeat:eip elastic_ip={ELASTIC_IP} \
         op start timeout=60s interval=0s on-fail=stop op monitor timeout=60s interval=10s on-fail=restart \
         op stop timeout=60s interval=0s on-fail=block"
    );
    stage.cluster().run(&create.split(' ').collect::<Vec<_>>())?;
    let holder = stage.settle(None)?;

    let (began, before) = (now(), stage.configuration()?);
    let script = stage.script("from-one-parameter-eip.sh");
    script.clone().argument("1").run(stage.cluster(), holder)?;
    // By rename, as packages do it: an unmanaged resource is still monitored.
    let install =
        format!("install -m 755 /run/harness/eip {INSTALLED}.new && mv -f {INSTALLED}.new {INSTALLED}");
    stage.everywhere(&["sh", "-c", &install])?;
    script.argument("2").run(stage.cluster(), holder)?;
    stage.settle(Some(holder))?;
    stage.ensure_no_downtime(began)?;
    let start = |on_fail| format!("eip op interval=0 name=start on-fail={on_fail} timeout=60s");
    let mut named = vec![format!("- {}", start("stop")), format!("+ {}", start("restart"))];
    named.extend(managed_again(stage.tool()));
    before.ensure_became(&stage.configuration()?, &named)?;
    stage.move_without_a_gap()?;
    Ok(format!("the address never left {holder}; EC2 got no mutating call"))
}

pub(super) fn from_awseip(stage: &mut Stage) -> Result<String> {
    let allocation = stage.allocation()?;
    // With unusual settings, which must be kept.
    let create = format!(
        "pcs resource create {RESOURCE} ocf:heartbeat:awseip elastic_ip={ELASTIC_IP} allocation_id={allocation} \
         awscli=/usr/local/sbin/aws api_delay=1 profile=default op monitor interval=20s timeout=30s on-fail=restart \
         op monitor interval=3min timeout=40s OCF_CHECK_LEVEL=10 op start timeout=90s on-fail=stop meta priority=3"
    );
    let mut named = vec![
        "- primitive eip ocf:heartbeat:awseip".to_owned(),
        "+ primitive eip ocf:heartbeat:eip".to_owned(),
        "- eip awscli=/usr/local/sbin/aws".to_owned(),
        "- eip api_delay=1".to_owned(),
    ];
    named.extend(managed_again(stage.tool()));
    let holder = by_script(stage, "from-awseip.sh", &create, &named)?;
    stage.move_without_a_gap()?;
    Ok(format!("the address never left {holder}; EC2 got no mutating call"))
}

pub(super) fn from_move_ip(stage: &mut Stage) -> Result<String> {
    let tables: Vec<_> = stage.cluster().world().route_tables().iter().map(ToString::to_string).collect();
    let tables = tables.join(",");
    // The operations of the guides, and again with unusual settings.
    let create = format!(
        "pcs resource create {RESOURCE} ocf:heartbeat:aws-vpc-move-ip ip={OVERLAY_IP} interface=eth0 iflabel=sap \
         routing_table={tables} lookup_type=NetworkInterfaceId monapi=true awscli=/usr/local/sbin/aws profile=default \
         op start timeout=180s op stop timeout=180s op monitor interval=60s timeout=60s on-fail=restart meta priority=3"
    );
    let mut named = vec![
        "- primitive eip ocf:heartbeat:aws-vpc-move-ip",
        "+ primitive eip ocf:heartbeat:overlay-ip",
        "- eip awscli=/usr/local/sbin/aws",
        "- eip lookup_type=NetworkInterfaceId",
    ];
    if stage.tool() == Tool::Crmsh {
        named.push(MANAGED);
    }
    let holder = by_script(stage, "from-aws-vpc-move-ip.sh", &create, &named)?;
    // As the script recommends at its end.
    stage.cluster().set_meta("allow-migrate", "true")?;
    stage.move_without_a_gap()?;
    Ok(format!("the address never left {holder}, its device or its routes; every client was answered"))
}

/// Creates the resource of an older agent and runs a script that switches it, which makes the named changes. Returns the node on which
/// it stays.
fn by_script(stage: &mut Stage, script: &str, create: &str, named: &[impl AsRef<str>]) -> Result<NodeName> {
    stage.cluster().run(&["pcs", "resource", "delete", RESOURCE])?;
    stage.everywhere(&["sh", "-c", "mkdir -p /root/.aws; echo '[default]' >/root/.aws/config"])?;
    stage.cluster().run(&create.split(' ').collect::<Vec<_>>())?;
    let holder = stage.settle(None)?;
    stage.cluster_mut().node_mut(holder)?.daemon(DEVICES, &["ip", "monitor", "address"])?;

    let (began, before) = (now(), stage.configuration()?);
    if stage.tool() != Tool::Pcs09 {
        go_back(stage, script, holder)?;
        stage.ensure_no_downtime(began)?;
        let own: &[&str] = if stage.tool() == Tool::Crmsh { &[MANAGED] } else { &[] };
        before.ensure_became(&stage.configuration()?, own)?;
    }
    stage.script(script).run(stage.cluster(), holder)?;
    stage.settle(Some(holder))?;
    stage.ensure_no_downtime(began)?;
    stage.ensure_answered(began, &[holder])?;
    before.ensure_became(&stage.configuration()?, named)?;
    let node = stage.cluster().node(holder)?;
    let told = node.output_of(DEVICES);
    ensure(node.kill_processes(&["ip"])? == 1 && told.is_empty(), || format!("the devices changed: {told}"))?;
    Ok(holder)
}

/// The changes by the switches to `eip` in addition to the agent: they configure live moves.
fn managed_again(tool: Tool) -> impl Iterator<Item = String> {
    let own = (tool == Tool::Crmsh).then_some(MANAGED);
    ["+ eip meta allow-migrate=true"].into_iter().chain(own).map(str::to_owned)
}

/// Stops the example after the change of the type, and follows its instructions for going back.
fn go_back(stage: &Stage, script: &str, holder: NodeName) -> Result<()> {
    let stumble = "mkdir -p /run/harness/stumble && cat >/run/harness/stumble/crm_resource <<'END'
#!/bin/sh
case $* in *--refresh*) echo 'crm_resource: refused' >&2; exit 1 ;; esac
exec /usr/sbin/crm_resource \"$@\"
END
chmod 755 /run/harness/stumble/crm_resource";
    stage.cluster().node(holder)?.run(&["sh", "-c", stumble])?;
    let script = stage.script(script).with_path("/run/harness/stumble");
    let Err(HarnessError::Command { output, .. }) = script.run(stage.cluster(), holder) else {
        return Err(HarnessError::Wrong("it went on after crm_resource had failed".into()));
    };
    let (_, advice) = output.split_once("To go back:").unwrap_or_default();
    ensure(output.contains("eip is unmanaged") && advice.contains("resource manage"), || output.clone())?;
    stage
        .cluster()
        .node(holder)?
        .command(&["env", "HOME=/root", "sh", "-ec", advice])?
        .limit(SETTLE_LIMIT)
        .run()?;
    stage.settle(Some(holder)).map(drop)
}
