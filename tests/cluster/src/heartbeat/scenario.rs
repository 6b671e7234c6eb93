//! Scenarios: something happens to a settled pair, and the address has to end up where Heartbeat should put it.

use std::time::Duration;

use aws_sim::FaultKind;

use super::setup::INSTALL;
use super::{calls, ensure_call, kill, stop};
use crate::error::{Result, ensure};
use crate::machines::Cut;
use crate::pairs::scenario::{RETURN_LIMIT, TAKEOVER_LIMIT, failback, kill_node, link_down};
use crate::pairs::{NodePair, PairScenario, guide, step};
use crate::story::Story;
use crate::topology::{ELASTIC_IP, N1, N2};
use crate::wait::{Polled, let_run, now, until};

/// How long after two nodes have met Heartbeat may still notice that both have the resources, and start over.
const SECOND_THOUGHTS: Duration = Duration::from_secs(3);

/// Heading of the part of the guide that keeps Heartbeat.
pub const KEEP: &str = "Keep Heartbeat";
/// Heading of the part that replaces it with Pacemaker.
pub const LEAVE: &str = "Or move on to Pacemaker";

/// A pair that detects failures quickly, with the packages installed and the files in the form of the examples.
pub const QUICK: &[PairScenario] = &[
    step("start", "Heartbeat starts on both nodes: the preferred one takes the address", start),
    step(
        "by-hand",
        "start while it is here, stop while it is not, and all of it while EC2 resets every call",
        by_hand,
    ),
    step("kill-node", "the active node loses power", kill_node),
    step("failback", "it comes back: auto_failback is on", failback),
    step("kill-daemon", "kill -9 of Heartbeat on the active node, which lives on", kill_daemon),
    step("daemon-back", "Heartbeat is started on it again", start_again),
    step("clean-stop", "Heartbeat is stopped on the active node", clean_stop),
    step("start-again", "and started again", start_again),
];

/// A pair like that of `QUICK` is split: each node believes that it is alone, and then they meet again.
pub const SPLIT: &[PairScenario] = &[
    step("split-start", "Heartbeat starts on both nodes: the preferred one takes the address", start),
    step("link-down", "the active node's interface goes down: its calls fail at once", link_down),
    step("heal-link-down", "it comes up again: two nodes that both believed to be alone meet", heal),
    step(
        "peer-link-down",
        "the other node's interface goes down: Heartbeat starts elastic-ip there, with no route to EC2",
        split,
    ),
    step(
        "heal-peer-link-down",
        "it comes up again, with ON_STOP=leave: the address serves while Heartbeat begins anew",
        heal_split,
    ),
];

/// The article's own configuration, and the guide from it to `elastic-ip`, command by command.
pub const ARTICLE: &[PairScenario] = &[
    step(
        "article-guide",
        "the article's configuration and an old script; then docs/from-heartbeat.md, command by command",
        change_over,
    ),
    step("article-kill-node", "the active node loses power, deadtime 10", kill_node),
    step("article-failback", "it comes back", failback),
    step("article-to-pacemaker", "the guide's second part: Heartbeat stops, the address stays", leave),
];

fn start(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    for node in [N1, N2] {
        pair.start(node)?;
    }
    story.target = Some(N1);
    story.failure(at, "Heartbeat is started on both nodes");
    pair.settle(N1, RETURN_LIMIT)?;
    pair.ensure_moved(at, &[N1])?;
    pair.ensure_status(&[N1, N2], N1)
}

/// The calls that Heartbeat makes on both sides of a split. All of them leave the address where it is.
fn by_hand(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    ensure_call(pair, N1, "start", 0, "associated with")?;
    ensure_call(pair, N2, "stop", 0, "disowned")?;
    pair.world().break_api(&FaultKind::Reset);
    ensure_call(pair, N1, "start", 0, "associated with")?;
    ensure_call(pair, N2, "start", 1, "Could not map")?;
    ensure_call(pair, N2, "stop", 0, "disowned")?;
    pair.ensure_status(&[N1, N2], N1)?;
    pair.world().heal();
    pair.follow(story, (at, "elastic-ip is called on both nodes"), N1, &[])
}

/// Neither node releases the address: it is on a node whose Heartbeat is dead, and has to be taken from there.
fn kill_daemon(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = kill(pair, N1)?;
    pair.follow(story, (at, "kill -9 of Heartbeat on n1"), N2, &[N2])?;
    pair.ensure_always_held(at)?;
    pair.ensure_status(&[N1], N2)
}

fn clean_stop(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = stop(pair, N1)?;
    pair.follow(story, (at, "heartbeat -k on n1"), N2, &[N2])?;
    pair.ensure_status(&[N1], N2)
}

fn start_again(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    pair.start(N1)?;
    story.target = Some(N1);
    story.failure(at, "Heartbeat is started on n1 again");
    pair.settle(N1, RETURN_LIMIT)?;
    pair.ensure_moved(at, &[N1])
}

fn heal(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = pair.repair(N1)?;
    story.target = Some(N1);
    story.failure(at, "ip link set eth0 up on n1");
    // Heartbeat releases everything on both sides and starts over; on a busy machine once more after it looked settled.
    pair.settle(N1, RETURN_LIMIT)?;
    let_run(SECOND_THOUGHTS)?;
    pair.settle(N1, RETURN_LIMIT)?;
    pair.ensure_status(&[N1, N2], N1)
}

fn split(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    for node in [N1, N2] {
        pair.node(node)?.run(&["sh", "-c", "echo ON_STOP=leave >>/etc/default/elastic-ip"])?;
    }
    let before = calls(pair, N2, "start")?;
    let at = pair.cut(N2, Cut::LinkDown)?;
    until("Heartbeat on n2 starts elastic-ip", TAKEOVER_LIMIT, || {
        let more = calls(pair, N2, "start")? > before;
        Ok(if more { Polled::There(()) } else { Polled::NotYet("no call in its log".to_owned()) })
    })?;
    pair.follow(story, (at, "ip link set eth0 down on n2"), N1, &[])?;
    pair.ensure_always_held(at)?;
    pair.ensure_status(&[N2], N1)
}

fn heal_split(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = pair.repair(N2)?;
    story.target = Some(N1);
    story.failure(at, "ip link set eth0 up on n2");
    pair.settle(N1, RETURN_LIMIT)?;
    pair.ensure_always_held(at)?;
    pair.ensure_status(&[N1, N2], N1)
}

fn change_over(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    // What the old script did: it had the `aws` command, which this node lacks.
    pair.give(ELASTIC_IP, N1)?;
    for node in [N1, N2] {
        pair.start(node)?;
    }
    pair.settle(N1, RETURN_LIMIT)?;
    let at = now();
    story.target = Some(N2);
    story.failure(at, "the guide begins; Heartbeat runs with the old script");
    guide::run(pair, KEEP)?;
    // Over and back, with no other moves: installing the packages moved nothing.
    pair.ensure_moved(at, &[N2, N1])?;
    pair.ensure_status(&[N1, N2], N1)?;
    // What a node that lost its disk needs to be as the guide left it.
    pair.install_at_boot(format!("{INSTALL}ln -sf /usr/sbin/elastic-ip /etc/init.d/elastic-ip\n"));
    Ok(())
}

fn leave(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = now();
    story.target = Some(N1);
    story.failure(at, "the guide's second part begins");
    guide::run(pair, LEAVE)?;
    ensure(pair.world().holder() == Some(N1), || "the address did not stay on n1".to_owned())?;
    pair.ensure_moved(at, &[])
}
