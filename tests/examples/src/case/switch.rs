//! Examples that put this agent into the place of an older one. The proof is the simulator's history: no change of holder.

use cluster::error::{HarnessError, Result, ensure};
use cluster::pacemaker::RESOURCE;
use cluster::topology::{ELASTIC_IP, NodeName};
use cluster::wait::now;

use super::Tool;
use super::stage::{SETTLE_LIMIT, Stage};

const INSTALLED: &str = "/usr/lib/ocf/resource.d/heartbeat/eip";

pub(super) fn from_one_parameter(stage: &mut Stage) -> Result<String> {
    stage.cluster().run(&["pcs", "resource", "delete", RESOURCE])?;
    stage.everywhere(&["install", "-m", "755", "/run/harness/one-parameter-eip", INSTALLED])?;
    // As that agent's own documents have it.
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
    // By rename, as packages do it: an unmanaged resource is monitored all the same.
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
    Ok(format!("the address never left {holder}; EC2 was asked for no change"))
}

pub(super) fn from_awseip(stage: &mut Stage) -> Result<String> {
    stage.cluster().run(&["pcs", "resource", "delete", RESOURCE])?;
    stage.everywhere(&["sh", "-c", "mkdir -p /root/.aws; echo '[default]' >/root/.aws/config"])?;
    let allocation = stage.allocation()?;
    // With what nobody expects, which has to be there afterwards.
    let create = format!(
        "pcs resource create {RESOURCE} ocf:heartbeat:awseip elastic_ip={ELASTIC_IP} allocation_id={allocation} \
         awscli=/usr/local/sbin/aws api_delay=1 profile=default op monitor interval=20s timeout=30s on-fail=restart \
         op monitor interval=3min timeout=40s OCF_CHECK_LEVEL=10 op start timeout=90s on-fail=stop meta priority=3"
    );
    stage.cluster().run(&create.split(' ').collect::<Vec<_>>())?;
    let holder = stage.settle(None)?;

    let (began, before) = (now(), stage.configuration()?);
    if stage.tool() != Tool::Pcs09 {
        go_back(stage, holder)?;
        stage.ensure_no_downtime(began)?;
        let own: &[&str] = if stage.tool() == Tool::Crmsh { &["+ eip meta is-managed=true"] } else { &[] };
        before.ensure_became(&stage.configuration()?, own)?;
    }
    stage.script("from-awseip.sh").run(stage.cluster(), holder)?;
    stage.settle(Some(holder))?;
    stage.ensure_no_downtime(began)?;
    let mut named = vec![
        "- primitive eip ocf:heartbeat:awseip".to_owned(),
        "+ primitive eip ocf:heartbeat:eip".to_owned(),
        "- eip awscli=/usr/local/sbin/aws".to_owned(),
        "- eip api_delay=1".to_owned(),
    ];
    named.extend(managed_again(stage.tool()));
    before.ensure_became(&stage.configuration()?, &named)?;
    stage.move_without_a_gap()?;
    Ok(format!("the address never left {holder}; EC2 was asked for no change"))
}

/// What both switches change beside the agent: they configure live moves, and crmsh says in so many words what is the default.
fn managed_again(tool: Tool) -> impl Iterator<Item = String> {
    let own = (tool == Tool::Crmsh).then_some("+ eip meta is-managed=true");
    ["+ eip meta allow-migrate=true"].into_iter().chain(own).map(str::to_owned)
}

/// Has the example stop after the change of the type, and does what it then says.
fn go_back(stage: &Stage, holder: NodeName) -> Result<()> {
    let stumble = "mkdir -p /run/harness/stumble && cat >/run/harness/stumble/crm_resource <<'END'
#!/bin/sh
case $* in *--refresh*) echo 'crm_resource: refused' >&2; exit 1 ;; esac
exec /usr/sbin/crm_resource \"$@\"
END
chmod 755 /run/harness/stumble/crm_resource";
    stage.cluster().node(holder)?.run(&["sh", "-c", stumble])?;
    let script = stage.script("from-awseip.sh").with_path("/run/harness/stumble");
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
