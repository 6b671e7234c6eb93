//! The example tuned for fast detection; its arithmetic is verified by measurement.

use cluster::error::{HarnessError, Result, ensure};
use cluster::pacemaker::RESOURCE;
use cluster::story::Story;
use cluster::suite::TestBed as _;
use cluster::topology::ELASTIC_IP;
use cluster::wait::{Polled, now, until};

use super::Tool;
use super::stage::{SETTLE_LIMIT, Stage};

/// The token timeout that the example sets, in seconds.
const TOKEN: f64 = 1.0;
const MONITOR: f64 = 5.0;
/// Factor by which a busy machine may be slower than the example says.
const SLOW: f64 = 3.0;
/// Soon after a start, a monitor queries EC2 for half of its 20 s before it accepts that the address is gone [stale-1].
const DOUBTFUL: f64 = 10.0;
/// How many nodes may have to fail until one takeover is undisturbed.
const DEATHS: usize = 3;

pub(super) fn fast(stage: &mut Stage) -> Result<String> {
    let before = token(stage)?;
    if stage.tool() == Tool::Crmsh {
        // What the example requires.
        stage.everywhere(&["env", "HOME=/root", "crm", "corosync", "set", "totem.token", "1000"])?;
    }
    settings(stage)?;
    stage.settle(None)?;
    ensure(token(stage)? == "1000", || "the token is not 1000 ms on all nodes".into())?;

    let noticed = taken_away(stage)?;
    // The cluster may have taken it back on either node.
    let mut holder = stage.settle(None)?;
    let mut died = death(stage)?;
    let expected = 2.2 * TOKEN + 1.0;
    // Any other load only makes it longer, by whole seconds in which Pacemaker waits for itself; a wrong setting makes it longer each time.
    for _ in 1..DEATHS {
        if died < expected + SLOW {
            break;
        }
        stage.repair_all()?;
        holder = stage.settle(None)?;
        died = death(stage)?;
    }
    ensure(died > TOKEN && died < expected + SLOW, || {
        format!("without service for {died:.1} s, expected {expected:.1} s")
    })?;
    stage.repair_all()?;
    // The node that comes back does not attract the address.
    let survivor = stage.settle(None)?;
    ensure(survivor != holder, || format!("the address went back to {holder}"))?;
    stage.move_without_a_gap()?;
    // The next examples expect the machines as they were.
    match stage.tool() {
        Tool::Crmsh => {
            stage.everywhere(&["env", "HOME=/root", "crm", "corosync", "set", "totem.token", &before])?;
            stage.cluster().run(&["corosync-cfgtool", "-R"])?;
        }
        Tool::Pcs | Tool::Pcs09 => {
            // A node that has lost power has no systemd to start it again.
            stage.everywhere(&["systemctl", "start", "pcsd"])?;
            renew_pcsd(stage);
            let set = format!("token={before}");
            stage.cluster().run(&["pcs", "cluster", "config", "update", "totem", &set])?;
        }
    }
    until("the token to be as it was", SETTLE_LIMIT, || {
        let now = token(stage)?;
        Ok(if now == before { Polled::There(()) } else { Polled::NotYet(now) })
    })?;
    Ok(format!(
        "token {before} -> 1000 ms; death {died:.1} s, by the arithmetic {expected:.1} s; taken away {noticed:.1} s, at most {:.0} s",
        MONITOR + DOUBTFUL
    ))
}

/// Has each pcsd answer a query. Its two halves give up the connection between them after 20 s without a request, and a request that
/// comes just then fails with HTTP 500.
fn renew_pcsd(stage: &Stage) {
    if stage.tool() == Tool::Pcs {
        for node in stage.cluster().nodes() {
            // This one may be the request that fails.
            let _ = stage.cluster().run(&["pcs", "cluster", "corosync", &node.to_string()]);
        }
    }
}

/// Runs the example and checks its settings; meanwhile nothing may stop.
pub(super) fn settings(stage: &mut Stage) -> Result<String> {
    // An unusual one: by its allocation, with parameters, a reaction and a second monitor that have to stay.
    let allocation = format!("allocation_id={}", stage.allocation()?);
    let update = ["pcs", "resource", "update", RESOURCE, "elastic_ip=", &allocation, "settle_window=60"];
    let monitor = ["op", "monitor", "interval=10s", "timeout=20s", "on-fail=restart"];
    stage.cluster().run(&[&update[..], &monitor].concat())?;
    let deeper = ["monitor", "interval=3min", "timeout=20s", "OCF_CHECK_LEVEL=10"];
    stage.cluster().run(&[&["pcs", "resource", "op", "add", RESOURCE][..], &deeper].concat())?;
    stage.settle(None)?;
    renew_pcsd(stage);
    let began = now();
    let mut named: Vec<&str> = vec![
        "+ property start-failure-is-fatal=false",
        "- eip op interval=10s name=monitor on-fail=restart timeout=20s",
        "+ eip op interval=5s name=monitor on-fail=restart timeout=20s",
        "- eip op interval=0 name=start timeout=60s",
        "+ eip op interval=0 name=start timeout=30s",
        "- eip op interval=0 name=stop timeout=60s",
        "+ eip op interval=0 name=stop timeout=30s",
        "+ eip meta resource-stickiness=100",
        "+ eip meta migration-threshold=2",
        "+ eip meta failure-timeout=2min",
    ];
    named.push(if stage.tool() == Tool::Pcs09 {
        "+ property cluster-recheck-interval=1min"
    } else {
        "+ eip meta multiple-active=stop_unexpected"
    });
    stage.run_changing(&stage.script("fast.sh"), &named)?;
    stage.settle(None)?;
    stage.cluster_mut().ensure_untouched(began)?;
    Ok("all is set, and nothing stopped".into())
}

/// Takes the address away from the node that runs the resource: the next monitor notices. Returns after how many seconds.
fn taken_away(stage: &Stage) -> Result<f64> {
    let at = now();
    stage.cluster().world().cloud().disassociate(ELASTIC_IP);
    let back = until("the address to be taken back", SETTLE_LIMIT, || {
        let holder = stage.cluster().world().holder();
        Ok(holder.map_or(Polled::NotYet("unassigned".into()), |_| Polled::There(now() - at)))
    })?;
    ensure(back < MONITOR + DOUBTFUL + SLOW, || format!("taken back only after {back:.1} s"))?;
    stage.cluster().settle(None, SETTLE_LIMIT)?;
    stage.cluster().clean_up()?;
    stage.settle(None)?;
    Ok(back)
}

/// Cuts the active node's power. Returns for how many seconds a client got no answer.
fn death(stage: &mut Stage) -> Result<f64> {
    let holder = stage.settle(None)?;
    let mut story = Story::default();
    let at = stage.cluster_mut().power_off(holder)?;
    story.failure(at, format!("power cut of {holder}"));
    let survivor = stage.cluster().settle(None, SETTLE_LIMIT)?;
    story.target = Some(survivor);
    story.close();
    Ok(stage.cluster_mut().tell(&story)?.outage.longest)
}

/// Token timeout on the last node, in milliseconds.
fn token(stage: &Stage) -> Result<String> {
    let last = stage.cluster().nodes().pop().ok_or_else(|| HarnessError::Wrong("no node".into()))?;
    let line = stage.cluster().node(last)?.run(&["corosync-cmapctl", "-g", "runtime.config.totem.token"])?;
    Ok(line.rsplit(' ').next().unwrap_or_default().trim().to_owned())
}
