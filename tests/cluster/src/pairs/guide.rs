//! A guide, run as its reader would run it.
//!
//! The first line of every block of commands says where it is run and what it has to achieve. `sh on=host01`, or `on=both`: the node.
//! `holder=host02`: the address has to get there. `own=host01`: the text has the reader give that node its own address back at the
//! console. `pcs=file`: pcs commands are tried on a file instead of on a running cluster. A block of text after it is the output of
//! its last command.

use std::time::Duration;

use super::scenario::{RETURN_LIMIT, TAKEOVER_LIMIT};
use super::{Manager, NodePair};
use crate::command::Output;
use crate::error::{HarnessError, Result, ensure};
use crate::topology::{NodeName, own_address};
use crate::wait::{Polled, until};

/// For one block: its slowest command is dpkg.
const LIMIT: Duration = Duration::from_mins(1);
/// Prefix of a block with `pcs=file`.
const PCS_ON_A_FILE: &str = "[ -e /run/cib.xml ] || cibadmin --empty >/run/cib.xml
pcs() { command pcs -f /run/cib.xml \"$@\"; }
";

/// Runs the blocks of one part of the pair's guide in order.
pub fn run(pair: &NodePair, part: &str) -> Result<()> {
    for block in blocks(pair.manager.guide, part)? {
        for node in block.places(pair.manager)? {
            play(&block, pair, node)?;
        }
        let holder = block.node("holder", pair.manager)?;
        if let Some(node) = block.node("own", pair.manager)? {
            until("the floating address is not in the way", TAKEOVER_LIMIT, || {
                let found = pair.world().holder();
                Ok(if found == holder { Polled::There(()) } else { Polled::NotYet(format!("{found:?}")) })
            })?;
            pair.give(own_address(node), node)?;
        }
        if let Some(holder) = holder {
            pair.settle(holder, RETURN_LIMIT)?;
        }
    }
    Ok(())
}

fn play(block: &Block, pair: &NodePair, node: NodeName) -> Result<()> {
    let before = if block.says("pcs") == Some("file") { PCS_ON_A_FILE } else { "" };
    let script = format!("cd /run/packages\n{before}{}", block.commands);
    let output = pair.node(node)?.command(&["bash", "-ec", &script])?.limit(LIMIT).output()?;
    let (_, not_here) = (pair.manager.status)(false);
    let printed = block.ensure_printed(&output, not_here);
    printed.map_err(|why| HarnessError::Wrong(format!("on {}: {why}", pair.host_name(node))))
}

/// A block of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    /// The attributes after `sh` in its first line, as names and values.
    says: Vec<(String, String)>,
    commands: String,
    /// Expected output of the last command.
    printed: Option<String>,
}

impl Block {
    /// Value of an attribute.
    fn says(&self, name: &str) -> Option<&str> {
        self.says.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The node that an attribute names, by its host name in the guide.
    fn node(&self, name: &str, manager: &Manager) -> Result<Option<NodeName>> {
        let named = |value: &str| {
            let node = NodeName::first(2).find(|node| (manager.host_name)(*node) == value);
            node.ok_or_else(|| {
                HarnessError::Wrong(format!("{name}={value} names no node: {}", self.commands))
            })
        };
        self.says(name).map(named).transpose()
    }

    /// The nodes that the block is run on, in order.
    fn places(&self, manager: &Manager) -> Result<Vec<NodeName>> {
        if self.says("on") == Some("both") {
            return Ok(NodeName::first(2).collect());
        }
        let node = self.node("on", manager)?;
        let node = node
            .ok_or_else(|| HarnessError::Wrong(format!("no on=... says where to run: {}", self.commands)))?;
        Ok(vec![node])
    }

    /// Asserts that the commands succeeded and that their output ends with what the document shows. If the last command is `status`, it may
    /// also exit with `not_here`, its code on a node without the address.
    fn ensure_printed(&self, output: &Output, not_here: i32) -> Result<()> {
        let told =
            || format!("{}: {}\n{}{}", self.commands.trim_end(), output.status, output.stdout, output.stderr);
        let asked = self.commands.trim_end().ends_with(" status") && output.status.code() == Some(not_here);
        ensure(output.status.success() || asked, told)?;
        ensure(self.printed.as_ref().is_none_or(|printed| output.stdout.ends_with(printed)), told)
    }
}

/// The blocks in the part of a document from this heading to the next one of the same level.
fn blocks(document: &str, part: &str) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut within, mut lines) = (false, document.lines());
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            within = heading.starts_with(part);
        }
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let text: String =
            lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        match (kind.split(' ').next(), within) {
            (Some("sh"), true) => blocks.push(block(kind, text)?),
            (Some("text"), true) => {
                let last =
                    blocks.last_mut().ok_or_else(|| HarnessError::Wrong("text before any command".into()))?;
                last.printed = Some(text);
            }
            _ => {}
        }
    }
    ensure(!blocks.is_empty(), || format!("the document has no commands in its part {part:?}"))?;
    Ok(blocks)
}

fn block(kind: &str, commands: String) -> Result<Block> {
    let words = kind.split(' ').skip(1).map(|word| word.split_once('='));
    let says: Option<Vec<_>> =
        words.map(|word| word.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
    let says = says.filter(|says| !says.is_empty());
    let says =
        says.ok_or_else(|| HarnessError::Wrong(format!("no attribute says where to run: {commands}")))?;
    Ok(Block { says, commands, printed: None })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;
    use crate::heartbeat::{self, HEARTBEAT};
    use crate::keepalived::{self, KEEPALIVED};

    fn block_of(kind: &str, commands: &str) -> Block {
        block(kind, commands.to_owned()).unwrap()
    }

    fn output(code: i32, stdout: &str) -> Output {
        Output { status: ExitStatus::from_raw(code << 8), stdout: stdout.to_owned(), stderr: String::new() }
    }

    #[test]
    fn commands_are_found_with_where_they_run_and_what_they_print() {
        let document = "# T\n```sh on=both\nno\n```\n## Keep it\n```sh on=host02 holder=host01\na\nb\n```\n\n```text\nx\n```\n\
                        ```\nno\n```\n## Next\n```sh\nno\n```\n";
        let found = blocks(document, "Keep").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].commands, "a\nb\n");
        assert_eq!(found[0].printed.as_deref(), Some("x\n"));
        assert_eq!((found[0].says("on"), found[0].says("holder")), (Some("host02"), Some("host01")));
        assert!(blocks(document, "Next").is_err(), "a block that does not say where it runs");
        assert!(blocks(document, "Nowhere").is_err(), "a part that is not there");
    }

    #[test]
    fn a_block_is_run_where_it_belongs_and_nowhere_by_mistake() {
        let both: Vec<NodeName> = NodeName::first(2).collect();
        let block = block_of("sh on=host02 holder=host01", "a\n");
        assert_eq!(block.places(&KEEPALIVED).unwrap(), both[1..]);
        assert_eq!(block.node("holder", &KEEPALIVED).unwrap(), Some(both[0]));
        assert_eq!(block.node("own", &KEEPALIVED).unwrap(), None);
        assert_eq!(block_of("sh on=both", "a\n").places(&KEEPALIVED).unwrap(), both);
        assert!(block_of("sh on=hots02", "a\n").places(&KEEPALIVED).is_err());
        assert!(block_of("sh holder=host02", "a\n").places(&KEEPALIVED).is_err());
        assert!(block_of("sh on=both holder=hots02", "a\n").node("holder", &KEEPALIVED).is_err());
    }

    #[test]
    fn what_comes_of_a_block_is_what_the_document_shows() {
        let mut block = block_of("sh on=both", "a\nb\n");
        assert!(block.ensure_printed(&output(0, "anything\n"), 3).is_ok());
        assert!(block.ensure_printed(&output(3, "anything\n"), 3).is_err(), "no command but status may fail");
        block.printed = Some("x\n".to_owned());
        assert!(block.ensure_printed(&output(0, "of a\nx\n"), 3).is_ok(), "the last command counts");
        let why = block.ensure_printed(&output(0, "y\n"), 3).unwrap_err().to_string();
        assert!(why.contains("a\nb") && why.contains("y\n"), "{why}");
        block.commands = "a status\n".to_owned();
        assert!(block.ensure_printed(&output(3, "x\n"), 3).is_ok(), "the address is not here");
        assert!(block.ensure_printed(&output(1, "x\n"), 3).is_err(), "that is not how status says it");
        assert!(block.ensure_printed(&output(3, "y\n"), 3).is_err());
    }

    #[test]
    fn every_command_of_the_guides_is_run_and_prints_only_what_is_understood() {
        let parts_of_heartbeat = [heartbeat::scenario::KEEP, heartbeat::scenario::LEAVE];
        let parts_of_keepalived = [keepalived::scenario::PATH, keepalived::scenario::MORE];
        for (manager, parts) in [(&HEARTBEAT, parts_of_heartbeat), (&KEEPALIVED, parts_of_keepalived)] {
            let all = manager.guide.lines().filter(|line| line.starts_with("```sh")).count();
            let found: Vec<Block> =
                parts.iter().flat_map(|part| blocks(manager.guide, part).unwrap()).collect();
            assert_eq!(found.len(), all, "the parts that are run are not the whole guide");
            for block in found {
                assert!(!block.places(manager).unwrap().is_empty());
                for (name, value) in &block.says {
                    let known = ["on", "holder", "own", "pcs"].contains(&name.as_str());
                    assert!(known, "{name}={value}: {}", block.commands);
                }
            }
            assert!(!manager.guide.contains("\n    $ "), "commands belong in blocks that say where they run");
        }
    }
}
