//! The article's own configuration, and the guide that leads from them to `elastic-ip`, command by command.

use cluster::error::{Result, ensure};
use cluster::topology::ELASTIC_IP;
use cluster::wait::now;
use cluster::witness::Story;

use super::{RETURN_LIMIT, Scenario, come_back, kill_node, nodes};
use crate::guide;
use crate::pair::Pair;

/// In order: each begins as the one before ends.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "article-guide",
        about: "the article's configuration and an old script; then docs/from-heartbeat.md, command by command",
        run: change_over,
    },
    Scenario { name: "article-kill-node", about: "the active node loses power, deadtime 10", run: kill_node },
    Scenario { name: "article-failback", about: "it comes back", run: come_back },
    Scenario {
        name: "article-to-pacemaker",
        about: "the guide's second part: Heartbeat stops, the address stays",
        run: leave,
    },
];

/// The guide's part that keeps Heartbeat.
const KEEP: &str = "Keep Heartbeat";
/// The guide's part that leaves it.
const LEAVE: &str = "Or move on to Pacemaker";

fn change_over(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    // What the old script did: it had `aws`, which the node has not.
    pair.give(ELASTIC_IP, one)?;
    for node in [one, two] {
        pair.start_heartbeat(node)?;
    }
    pair.settle(one, RETURN_LIMIT)?;
    let at = now();
    story.failure(at, two, "the guide begins; Heartbeat runs with the old script");
    guide::run(pair, KEEP)?;
    // There and back, and nowhere else: installing moved nothing.
    pair.ensure_moved(at, &[two, one])?;
    pair.ensure_status(one, true)?;
    pair.ensure_status(two, false)?;
    pair.keep_installed(guide::INSTALL_AGAIN);
    Ok(())
}

fn leave(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, _) = nodes()?;
    let at = now();
    story.failure(at, one, "the guide's second part begins");
    guide::run(pair, LEAVE)?;
    ensure(pair.world().holder() == Some(one), || "the address did not stay on n1".to_owned())?;
    pair.ensure_moved(at, &[])
}
