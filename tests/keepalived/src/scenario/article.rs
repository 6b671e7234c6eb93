//! The article's own configuration, and the guide that leads from its script to `eip-keepalived`, command by command.

use cluster::error::{Result, ensure};
use cluster::topology::ELASTIC_IP;
use cluster::wait::{Epoch, now};
use cluster::witness::Story;

use super::{LIMIT, Scenario, kill_node, nodes, take_back};
use crate::guide;
use crate::pair::Pair;
use crate::setup::INSTALL;

/// In order: each begins as the one before ends.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "article-guide",
        about: "the article's configuration and an old script; then docs/from-keepalived.md, command by command",
        run: change_over,
    },
    Scenario {
        name: "article-service",
        about: "the service of the active node dies: its check fails, and the other node takes over",
        run: lose_service,
    },
    Scenario { name: "article-healed", about: "the service is back", run: regain_service },
    Scenario {
        name: "article-kill-node",
        about: "the active node loses power, advert_int 3",
        run: kill_node,
    },
    Scenario { name: "article-failback", about: "it comes back", run: take_back },
    Scenario {
        name: "article-more",
        about: "the guide's second part: every state is told; the address stays where it is",
        run: tell_more,
    },
];

/// The guide's part that changes the script's path alone.
const PATH: &str = "Change the path";
/// The guide's part that uses what else there is.
const MORE: &str = "Then use the rest";

fn change_over(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    for node in [one, two] {
        pair.start_keepalived(node)?;
    }
    // What the old script did: it had tools that the node has not.
    pair.give(ELASTIC_IP, one)?;
    pair.settle(one, LIMIT)?;
    let at = now();
    story.failure(at, two, "the guide begins; keepalived runs with the old script");
    guide::run(pair, PATH)?;
    // There and back, and nowhere else: installing moved nothing.
    pair.ensure_moved(at, &[two, one])?;
    pair.ensure_status(one, true)?;
    pair.ensure_status(two, false)?;
    pair.keep(&format!("{INSTALL}sed -i 's|/etc/keepalived/vrrp.sh|/usr/sbin/eip-keepalived|' /etc/keepalived/keepalived.conf\n"))
}

fn lose_service(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = now();
    let killed = pair.node(one)?.kill_processes(&["haproxy"])?;
    ensure(killed == 1, || format!("{killed} haproxy run on {one}, not one"))?;
    moved(pair, story, at, "haproxy is killed on n1")?;
    pair.ensure_status(one, false)?;
    pair.ensure_status(two, true)
}

fn moved(pair: &mut Pair, story: &mut Story, at: Epoch, what: &str) -> Result<()> {
    let (_, two) = nodes()?;
    story.failure(at, two, what);
    pair.settle(two, LIMIT)?;
    pair.ensure_moved(at, &[two])
}

fn regain_service(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, _) = nodes()?;
    let at = pair.start_service(one)?;
    story.failure(at, one, "haproxy is started on n1");
    pair.settle(one, LIMIT)?;
    pair.ensure_moved(at, &[one])
}

fn tell_more(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, _) = nodes()?;
    let at = now();
    story.failure(at, one, "the guide's second part begins");
    guide::run(pair, MORE)?;
    pair.settle(one, LIMIT)?;
    pair.ensure_moved(at, &[])
}
