//! The guide `docs/from-keepalived.md`, run as its reader would run it.
//!
//! Every block of commands says in its first line where it is run: `sh on=host01`, `on=host02` or `on=both`; `holder=host02` means that
//! the address has to get there, `own=host01` that the text has the reader give that node its own address back at the console.

use std::time::Duration;

use cluster::document::{Block, blocks};
use cluster::error::{Result, ensure};
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
        for node in places(&block)? {
            play(&block, pair, node)?;
        }
        let holder = block.says("holder").map(named).transpose()?;
        if let Some(node) = block.says("own").map(named).transpose()? {
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
    let told = || format!("{} on {}: {}{}", block.commands, host_name(node), output.stdout, output.stderr);
    // `status` tells by its exit code that the address is not here.
    let asked = block.commands.trim_end().ends_with(" status") && output.status.code() == Some(1);
    ensure(output.status.success() || asked, told)?;
    ensure(block.printed.as_ref().is_none_or(|printed| output.stdout.ends_with(printed)), told)
}

fn places(block: &Block) -> Result<Vec<NodeName>> {
    match block.says("on") {
        Some("both") => Ok(NodeName::first(2).collect()),
        Some(name) => named(name).map(|node| vec![node]),
        None => Err(wrong(format!("the guide does not say where to run: {}", block.commands))),
    }
}

fn named(name: &str) -> Result<NodeName> {
    node_of(name).ok_or_else(|| wrong(format!("the guide speaks of {name}, which is no node")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_of_the_guide_is_left_out() {
        let all = GUIDE.lines().filter(|line| line.starts_with("```sh")).count();
        let parts = ["Change the path", "Then use the rest"];
        let run: usize = parts.iter().map(|part| blocks(GUIDE, part).unwrap().len()).sum();
        assert_eq!(run, all);
        for block in parts.iter().flat_map(|part| blocks(GUIDE, part).unwrap()) {
            assert!(!places(&block).unwrap().is_empty());
        }
        assert!(!GUIDE.contains("\n    $ "), "commands stand in blocks that say where they run");
    }
}
