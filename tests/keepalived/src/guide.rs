//! The guide `docs/from-keepalived.md`, run as its reader would run it.
//!
//! Every block of commands says in its first line where it is run: `sh on=host01`, `on=host02` or `on=both`; `holder=host02` means that
//! the address has to get there, `own=host01` that the text has the reader give that node its own address back at the console.

use std::time::Duration;

use cluster::document::{Block, blocks};
use cluster::error::Result;
use cluster::topology::NodeName;
use cluster::wait::{Look, until};

use crate::checks::wrong;
use crate::pair::Pair;
use crate::setup::{host_name, node_of, own_address};

const GUIDE: &str = include_str!("../../../docs/from-keepalived.md");
/// For one block: dpkg is the slowest in it.
const LIMIT: Duration = Duration::from_mins(1);
/// For a move.
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
        let holder = block.node("holder", node_of)?;
        if let Some(node) = block.node("own", node_of)? {
            until("the floating address is not in the way", MOVE_LIMIT, || {
                let found = pair.world().holder();
                Ok(if found == holder { Look::There(()) } else { Look::NotYet(format!("{found:?}")) })
            })?;
            pair.give(own_address(node), node)?;
        }
        if let Some(holder) = holder {
            pair.settle(holder, MOVE_LIMIT)?;
        }
    }
    Ok(())
}

fn play(block: &Block, pair: &Pair, node: NodeName) -> Result<()> {
    let script = format!("cd /run/packages\n{}", block.commands);
    let output = pair.node(node)?.command(&["bash", "-ec", &script])?.limit(LIMIT).output()?;
    block.ensure_printed(&output, 1).map_err(|why| wrong(format!("on {}: {why}", host_name(node))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_guide_is_run_and_says_only_what_is_understood() {
        let all = GUIDE.lines().filter(|line| line.starts_with("```sh")).count();
        let parts = ["Change the path", "Then use the rest"];
        let found: Vec<Block> = parts.iter().flat_map(|part| blocks(GUIDE, part).unwrap()).collect();
        assert_eq!(found.len(), all, "the parts that are run are not the whole guide");
        for block in found {
            assert!(!block.places(node_of).unwrap().is_empty());
            for (name, value) in &block.says {
                assert!(
                    ["on", "holder", "own"].contains(&name.as_str()),
                    "{name}={value}: {}",
                    block.commands
                );
            }
        }
        assert!(!GUIDE.contains("\n    $ "), "commands stand in blocks that say where they run");
    }
}
