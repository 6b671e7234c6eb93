//! Scenarios: something happens to a settled pair, and the address has to end up where keepalived should put it.

use std::time::Duration;

use super::setup::INSTALL;
use super::{stop, wait_for_look_after, wait_for_master};
use crate::error::{Result, ensure};
use crate::machines::Cut;
pub use crate::pairs::scenario::TAKEOVER_LIMIT as LIMIT;
use crate::pairs::scenario::{failback, kill_node, link_down};
use crate::pairs::{NodePair, PairScenario, guide, step};
use crate::story::Story;
use crate::topology::{ELASTIC_IP, N1, N2, NodeName};
use crate::wait::{let_run, now};

/// Heading of the part of the guide that only changes the script's path.
pub const PATH: &str = "Change the path";
/// Heading of the part that uses the other features.
pub const MORE: &str = "Then use the rest";

/// The article's own configuration, and the guide from its script to `eip-keepalived`, command by command.
pub const ARTICLE: &[PairScenario] = &[
    step(
        "article-guide",
        "the article's configuration and an old script; then docs/from-keepalived.md, command by command",
        change_over,
    ),
    step(
        "article-service",
        "the service of the active node dies: its check fails, and the other node takes over",
        lose_service,
    ),
    step("article-healed", "the service is back", regain_service),
    step("article-kill-node", "the active node loses power, advert_int 3", kill_node),
    step("article-failback", "it comes back", failback),
    step(
        "article-more",
        "the guide's second part: every state is reported; the address stays where it is",
        tell_more,
    ),
];

/// The packaged examples unchanged: VRRP version 2, `advert_int 1`, a notification of every state, and no automatic failback.
pub const EXAMPLE: &[PairScenario] = &[
    step("v2-start", "keepalived starts on both nodes, and the first takes the address", start),
    step("v2-kill-node", "the active node loses power", kill_node),
    step("v2-return", "it comes back, as a backup, and gets its own address back", come_back),
    step("v2-sigterm", "keepalived is stopped on the active node", sigterm),
    step("v2-start-again", "and started again, as a backup", start_again),
    step(
        "v2-link-down",
        "the active node's interface goes down: FAULT, and its calls fail at once",
        link_down,
    ),
    step("v2-link-up", "it comes up again", link_up),
    step(
        "v2-kill-daemon",
        "keepalived is killed on the active node while that is verifying its claim",
        kill_daemon,
    ),
    step("v2-daemon-back", "it is started again, as a backup", daemon_back),
];

/// VRRP version 3 with timers of fractions of a second: states that change faster than EC2 answers, two masters, and a failing check.
pub const FAST: &[PairScenario] = &[
    step("v3-start", "keepalived starts on both nodes, advert_int 0.2", start),
    step("v3-kill-node", "the active node loses power", kill_node),
    step("v3-failback", "it comes back and takes the address", failback),
    step(
        "v3-flap-to-master",
        "MASTER and FAULT in turn within seconds, EC2 slow; MASTER in the end",
        |pair, story| flap(pair, story, 6),
    ),
    step("v3-flap-to-fault", "the same, FAULT in the end", |pair, story| flap(pair, story, 5)),
    step("v3-heal", "the fault is over", heal),
    step("v3-two-masters", "the nodes lose each other, both are MASTER, and meet again", two_masters),
    step(
        "v3-check",
        "the address is moved by hand: the check of the master fails, and keepalived follows",
        follow_ec2,
    ),
];

/// Longer than a claim is verified.
const LOOKED_AFTER: Duration = Duration::from_secs(11);
/// How long each state lasts: less than a takeover takes with a slow EC2.
const FLAP: Duration = Duration::from_millis(900);
/// How long EC2 takes to answer meanwhile.
const SLOW: Duration = Duration::from_millis(400);
/// The file that keepalived tracks: its instance is in FAULT unless the file contains 0.
const FILE: &str = "/run/flap";

fn start(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    pair.start(N1)?;
    // If neither takes it from the other, the first one keeps it.
    wait_for_master(pair, N1)?;
    story.note("keepalived is started on n2");
    pair.start(N2)?;
    pair.follow(story, (at, "keepalived is started on n1"), N1, &[N1])?;
    pair.ensure_status(&[N1, N2], N1)
}

fn change_over(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    for node in [N1, N2] {
        pair.start(node)?;
    }
    // What the old script did: it had tools that this node lacks.
    pair.give(ELASTIC_IP, N1)?;
    pair.settle(N1, LIMIT)?;
    let at = now();
    story.target = Some(N2);
    story.failure(at, "the guide begins; keepalived runs with the old script");
    guide::run(pair, PATH)?;
    // Over and back, with no other moves: installing the packages moved nothing.
    pair.ensure_moved(at, &[N2, N1])?;
    pair.ensure_status(&[N1, N2], N1)?;
    pair.install_at_boot(format!(
        "{INSTALL}sed -i 's|/etc/keepalived/vrrp.sh|/usr/sbin/eip-keepalived|' /etc/keepalived/keepalived.conf\n"
    ));
    Ok(())
}

fn lose_service(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    let killed = pair.node(N1)?.kill_processes(&["haproxy"])?;
    ensure(killed == 1, || format!("{killed} processes of haproxy ran on n1, expected one"))?;
    pair.follow(story, (at, "haproxy is killed on n1"), N2, &[N2])?;
    pair.ensure_status(&[N1, N2], N2)
}

fn regain_service(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    pair.node_mut(N1)?.daemon("haproxy", &["/run/harness/haproxy", "infinity"])?;
    pair.follow(story, (at, "haproxy is started on n1"), N1, &[N1])
}

fn tell_more(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    guide::run(pair, MORE)?;
    pair.follow(story, (at, "the guide's second part begins"), N1, &[])
}

fn come_back(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = pair.repair(N1)?;
    pair.follow(story, (at, "n1 boots again and starts keepalived"), N2, &[])?;
    pair.ensure_status(&[N1], N2)
}

fn sigterm(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = stop(pair, N2)?;
    pair.follow(story, (at, "SIGTERM to keepalived on n2"), N1, &[N1])
}

fn start_again(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    pair.start(N2)?;
    pair.follow(story, (at, "keepalived is started on n2 again"), N1, &[])
}

fn link_up(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = pair.repair(N1)?;
    pair.follow(story, (at, "ip link set eth0 up on n1"), N2, &[])
}

fn kill_daemon(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    story.note_at(stop(pair, N2)?, "SIGTERM to keepalived on n2, and it is started again");
    pair.start(N2)?;
    pair.wait_for_holder(N1)?;
    wait_for_look_after(pair, N1, true)?;
    let at = now();
    let killed = pair.node(N1)?.kill_processes(&["keepalived"])?;
    ensure(killed > 0, || "no keepalived runs on n1".to_owned())?;
    story.target = Some(N2);
    story.failure(at, "kill -9 of keepalived on n1, which is still verifying its claim");
    // A node whose keepalived is dead takes nothing, even if the node is up and reaches EC2.
    wait_for_look_after(pair, N1, false)?;
    pair.wait_for_holder(N2)?;
    let_run(LOOKED_AFTER)?;
    pair.ensure_moved(at, &[N2])?;
    pair.ensure_status(&[N1, N2], N2)
}

fn daemon_back(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    pair.start(N1)?;
    pair.follow(story, (at, "keepalived is started on n1"), N2, &[])
}

/// Makes the first node, which is MASTER, fail and recover in turn; each time the other node takes over, or begins to.
fn flap(pair: &mut NodePair, story: &mut Story, times: usize) -> Result<()> {
    let holder = if times.is_multiple_of(2) { N1 } else { N2 };
    story.target = Some(holder);
    story.failure(now(), format!("n1 changes its state {times} times; EC2 takes {} ms", SLOW.as_millis()));
    pair.world().cloud().set_latency(SLOW);
    for change in 1..=times {
        set_fault(pair, story, N1, !change.is_multiple_of(2))?;
        if change < times {
            let_run(FLAP)?;
        }
    }
    let settled = pair.settle(holder, LIMIT);
    pair.world().cloud().set_latency(Duration::ZERO);
    settled?;
    pair.ensure_status(&[N1, N2], holder)
}

fn heal(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    set_fault(pair, story, N1, false)?;
    pair.follow(story, (at, "the last fault ends"), N1, &[N1])
}

fn set_fault(pair: &NodePair, story: &mut Story, node: NodeName, fault: bool) -> Result<()> {
    story.note(format!("{node}: {}", if fault { "FAULT" } else { "no FAULT" }));
    pair.node(node)?.run(&["sh", "-c", &format!("echo {} >{FILE}", u8::from(fault))]).map(drop)
}

fn two_masters(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    // A new claim is verified for some seconds, and would be repeated.
    wait_for_look_after(pair, N1, false)?;
    let at = pair.cut(N1, Cut::Peers)?;
    pair.wait_for_holder(N2)?;
    story.note_at(pair.repair(N1)?, "they meet again");
    pair.follow(story, (at, "n1 and n2 lose each other; both reach EC2"), N1, &[N2, N1])
}

fn follow_ec2(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    // A new claim is verified for some seconds, and would be repeated.
    wait_for_look_after(pair, N1, false)?;
    let at = now();
    pair.give(ELASTIC_IP, N2)?;
    wait_for_master(pair, N2)?;
    story.note("n2 is MASTER, because the check of n1 failed");
    // It could take the address, so it is healthy again, and its priority is higher.
    pair.follow(story, (at, "the address is given to n2, where keepalived is BACKUP"), N1, &[N2, N1])
}
