//! The guide `docs/from-heartbeat.md`, run as its reader would run it.
//!
//! Every block of commands says in its first line where it is run: `sh on=server1`, `on=server2` or `on=both`; `holder=server2`
//! means that the address has to get there, `pcs=file` that commands of pcs are tried on a file instead of on a running cluster.

use std::time::Duration;

use cluster::document::{Block, blocks};
use cluster::error::Result;
use cluster::topology::NodeName;

use crate::checks::wrong;
use crate::pair::Pair;
use crate::setup::{host_name, node_of};

const GUIDE: &str = include_str!("../../../docs/from-heartbeat.md");
/// What a node that lost its disk needs to be as the guide left it.
pub const INSTALL_AGAIN: &str = "cd /run/packages && dpkg -i --force-confold eip_*.deb eip-heartbeat_*.deb\n\
                                 ln -sf /usr/sbin/elastic-ip /etc/init.d/elastic-ip\n";
/// For one block: dpkg is the slowest in it.
const LIMIT: Duration = Duration::from_mins(1);
/// For a move: Heartbeat waits some seconds before a standby takes effect.
const MOVE_LIMIT: Duration = Duration::from_mins(1);

/// Runs the blocks of a part of the guide, one after the other.
///
/// # Errors
/// When a command fails, prints something else than the guide says, or the address does not go where the guide says.
pub fn run(pair: &Pair, part: &str) -> Result<()> {
    for block in blocks(GUIDE, part)? {
        for node in block.places(node_of)? {
            play(&block, pair, node)?;
        }
        if let Some(holder) = block.node("holder", node_of)? {
            pair.settle(holder, MOVE_LIMIT)?;
        }
    }
    Ok(())
}

fn play(block: &Block, pair: &Pair, node: NodeName) -> Result<()> {
    let before = if block.says("pcs") == Some("file") {
        "[ -e /run/cib.xml ] || cibadmin --empty >/run/cib.xml; pcs() { command pcs -f /run/cib.xml \"$@\"; }\n"
    } else {
        ""
    };
    let script = format!("cd /run/packages\n{before}{}", block.commands);
    let output = pair.node(node)?.command(&["bash", "-ec", &script])?.limit(LIMIT).output()?;
    // What LSB has for a status where nothing runs.
    block.ensure_printed(&output, 3).map_err(|why| wrong(format!("on {}: {why}", host_name(node))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_guide_is_run_and_says_only_what_is_understood() {
        let all = GUIDE.lines().filter(|line| line.starts_with("```sh")).count();
        let parts = ["Keep Heartbeat", "Or move on to Pacemaker"];
        let found: Vec<Block> = parts.iter().flat_map(|part| blocks(GUIDE, part).unwrap()).collect();
        assert_eq!(found.len(), all, "the parts that are run are not the whole guide");
        for block in found {
            assert!(!block.places(node_of).unwrap().is_empty());
            for (name, value) in &block.says {
                assert!(
                    ["on", "holder", "pcs"].contains(&name.as_str()),
                    "{name}={value}: {}",
                    block.commands
                );
            }
        }
        assert!(!GUIDE.contains("\n    $ "), "commands stand in blocks that say where they run");
    }
}
