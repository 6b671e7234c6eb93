//! Examples that put this agent into the place of an older one. The proof is the simulator's history: no change of holder.

use cluster::cluster::RESOURCE;
use cluster::error::{Result, ensure};
use cluster::topology::ELASTIC_IP;
use cluster::wait::now;

use super::stage::Stage;

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

    let began = now();
    let script = stage.script("from-one-parameter-eip.sh");
    script.clone().argument("1").run(stage.cluster(), holder)?;
    // By rename, as packages do it: an unmanaged resource is monitored all the same.
    let install =
        format!("install -m 755 /run/harness/eip {INSTALLED}.new && mv -f {INSTALLED}.new {INSTALLED}");
    stage.everywhere(&["sh", "-c", &install])?;
    script.argument("2").run(stage.cluster(), holder)?;
    stage.settle(Some(holder))?;
    stage.ensure_no_downtime(began)?;
    let cib = stage.cluster().run(&["cibadmin", "--query", "--scope", "resources"])?;
    ensure(!cib.contains(r#"name="is-managed" value="false""#), || "the resource is still unmanaged".into())?;
    ensure(!cib.contains(r#"on-fail="stop""#), || "a failed start would still end all attempts".into())?;
    stage.move_without_a_gap()?;
    Ok(format!("the address never left {holder}; EC2 was asked for no change"))
}

pub(super) fn from_awseip(stage: &mut Stage) -> Result<String> {
    stage.cluster().run(&["pcs", "resource", "delete", RESOURCE])?;
    stage.everywhere(&["sh", "-c", "mkdir -p /root/.aws; echo '[default]' >/root/.aws/config"])?;
    let query = ["--query", "Addresses[0].AllocationId", "--output", "text"];
    let address = ELASTIC_IP.to_string();
    let describe = ["/usr/local/sbin/aws", "ec2", "describe-addresses", "--public-ips", &address];
    let allocation = stage.cluster().run(&[&describe[..], &query].concat())?;
    let create = format!(
        "pcs resource create {RESOURCE} ocf:heartbeat:awseip elastic_ip={ELASTIC_IP} allocation_id={} \
         awscli=/usr/local/sbin/aws api_delay=1 profile=default op monitor interval=20s timeout=30s",
        allocation.trim()
    );
    stage.cluster().run(&create.split(' ').collect::<Vec<_>>())?;
    let holder = stage.settle(None)?;

    let began = now();
    stage.script("from-awseip.sh").run(stage.cluster(), holder)?;
    stage.settle(Some(holder))?;
    stage.ensure_no_downtime(began)?;
    let cib = stage.cluster().run(&["cibadmin", "--query"])?;
    ensure(!cib.contains("awseip"), || "something still speaks of awseip".into())?;
    ensure(!cib.contains(r#"name="is-managed" value="false""#), || "the resource is still unmanaged".into())?;
    stage.move_without_a_gap()?;
    Ok(format!("the address never left {holder}; EC2 was asked for no change"))
}
