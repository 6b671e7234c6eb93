//! VRRP version 3 in fractions of seconds: states that follow each other faster than EC2 answers, two masters, and a check that fails.

use std::time::Duration;

use cluster::error::Result;
use cluster::topology::{ELASTIC_IP, NodeName};
use cluster::wait::{Look, let_run, now, until};
use cluster::witness::Story;

use super::{LIMIT, Scenario, kill_node, nodes, start, take_back, wait_for_holder, wait_for_look_after};
use crate::pair::Pair;

/// In order: each begins as the one before ends.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "v3-start", about: "keepalived starts on both nodes, advert_int 0.2", run: start },
    Scenario { name: "v3-kill-node", about: "the active node loses power", run: kill_node },
    Scenario { name: "v3-failback", about: "it comes back and takes the address", run: take_back },
    Scenario {
        name: "v3-flap-to-master",
        about: "MASTER and FAULT in turn within seconds, EC2 slow; MASTER in the end",
        run: |pair, story| flap(pair, story, 6),
    },
    Scenario {
        name: "v3-flap-to-fault",
        about: "the same, FAULT in the end",
        run: |pair, story| flap(pair, story, 5),
    },
    Scenario { name: "v3-heal", about: "the fault is over", run: heal },
    Scenario {
        name: "v3-two-masters",
        about: "the nodes lose each other, both are MASTER, and meet again",
        run: two_masters,
    },
    Scenario {
        name: "v3-check",
        about: "somebody moves the address: the check of the master fails, and keepalived follows",
        run: follow_ec2,
    },
];

/// How long each state lasts: shorter than the takeover with a slow EC2.
const FLAP: Duration = Duration::from_millis(900);
/// How long EC2 takes for an answer meanwhile.
const SLOW: Duration = Duration::from_millis(400);
/// The file that keepalived follows: its instance is in FAULT while there is no 0 in it.
const FILE: &str = "/run/flap";

/// Lets the first node, which is MASTER, fail and recover in turn; each time the other one takes over, or begins to.
fn flap(pair: &mut Pair, story: &mut Story, times: usize) -> Result<()> {
    let (one, two) = nodes()?;
    let holder = if times.is_multiple_of(2) { one } else { two };
    story.failure(
        now(),
        holder,
        format!("n1 changes its state {times} times; EC2 takes {} ms", SLOW.as_millis()),
    );
    pair.world().cloud().set_latency(SLOW);
    for change in 1..=times {
        set_fault(pair, story, one, !change.is_multiple_of(2))?;
        if change < times {
            let_run(FLAP)?;
        }
    }
    let settled = pair.settle(holder, LIMIT);
    pair.world().cloud().set_latency(Duration::ZERO);
    settled?;
    pair.ensure_status(one, holder == one)?;
    pair.ensure_status(two, holder == two)
}

fn heal(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, _) = nodes()?;
    let at = now();
    story.failure(at, one, "the last fault ends");
    set_fault(pair, story, one, false)?;
    pair.settle(one, LIMIT)?;
    pair.ensure_moved(at, &[one])
}

fn set_fault(pair: &Pair, story: &mut Story, node: NodeName, fault: bool) -> Result<()> {
    story.note(now(), format!("{node}: {}", if fault { "FAULT" } else { "no FAULT" }));
    pair.node(node)?.run(&["sh", "-c", &format!("echo {} >{FILE}", u8::from(fault))]).map(drop)
}

fn two_masters(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    // A fresh claim is looked after for some seconds, and would be made anew.
    wait_for_look_after(pair, one, false)?;
    let at = pair.set_joined(false)?;
    story.failure(at, one, "n1 and n2 lose each other; both reach EC2");
    wait_for_holder(pair, two)?;
    let met = pair.set_joined(true)?;
    story.note(met, "they meet again");
    pair.settle(one, LIMIT)?;
    pair.ensure_moved(at, &[two, one])
}

fn follow_ec2(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    // A fresh claim is looked after for some seconds, and would be made anew.
    wait_for_look_after(pair, one, false)?;
    let at = now();
    story.failure(at, one, "the address is given to n2, where keepalived is BACKUP");
    pair.give(ELASTIC_IP, two)?;
    until("keepalived makes n2 MASTER", LIMIT, || {
        let (first, second) = (pair.state(one)?, pair.state(two)?);
        Ok(if second == "MASTER" {
            Look::There(())
        } else {
            Look::NotYet(format!("n1 {first}, n2 {second}"))
        })
    })?;
    story.note(now(), "n2 is MASTER, because the check of n1 failed");
    // It could take the address, so it is well again, and its priority is higher.
    pair.settle(one, LIMIT)?;
    pair.ensure_moved(at, &[two, one])
}
