//! The guide `docs/from-heartbeat.md`, run as its reader would run it.
//!
//! Every block of commands says in its first line where it is run: `sh on=server1`, `on=server2` or `on=both`; `holder=server2`
//! means that the address has to get there. `cib` is for commands of pcs, which are tried on a file instead of on a running cluster. A block
//! of text after it is what its last command prints on each of its nodes.

use std::time::Duration;

use cluster::error::{Result, ensure};
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

/// A block of commands.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    nodes: Vec<NodeName>,
    holder: Option<NodeName>,
    cib: bool,
    commands: String,
    printed: Option<String>,
}

/// Runs the blocks of a part of the guide, one after the other.
///
/// # Errors
/// When a command fails, prints something else than the guide says, or the address does not go where the guide says.
pub fn run(pair: &Pair, part: &str) -> Result<()> {
    let blocks = blocks(GUIDE, part)?;
    ensure(!blocks.is_empty(), || format!("the guide has no commands in its part {part:?}"))?;
    for block in blocks {
        for &node in &block.nodes {
            block.run(pair, node)?;
        }
        if let Some(holder) = block.holder {
            pair.settle(holder, MOVE_LIMIT)?;
        }
    }
    Ok(())
}

impl Block {
    fn run(&self, pair: &Pair, node: NodeName) -> Result<()> {
        let before = if self.cib {
            "[ -e /run/cib.xml ] || cibadmin --empty >/run/cib.xml; pcs() { command pcs -f /run/cib.xml \"$@\"; }\n"
        } else {
            ""
        };
        let script = format!("cd /run/packages\n{before}{}", self.commands);
        let output = pair.node(node)?.command(&["bash", "-ec", &script])?.limit(LIMIT).output()?;
        let told = || format!("{} on {}: {}{}", self.commands, host_name(node), output.stdout, output.stderr);
        // `status` tells by its exit code that the address is not here.
        let asked = self.commands.trim_end().ends_with(" status") && output.status.code() == Some(3);
        ensure(output.status.success() || asked, told)?;
        let printed = self.printed.as_ref().is_none_or(|printed| output.stdout.ends_with(printed));
        ensure(printed, told)
    }
}

/// Returns the blocks of a part of the guide: from its heading to the next one of its rank.
fn blocks(guide: &str, part: &str) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut within, mut lines) = (false, guide.lines());
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
                let last = blocks.last_mut().ok_or_else(|| wrong("text before any command"))?;
                last.printed = Some(text);
            }
            _ => {}
        }
    }
    Ok(blocks)
}

fn block(kind: &str, commands: String) -> Result<Block> {
    let mut block = Block { nodes: Vec::new(), holder: None, cib: false, commands, printed: None };
    for word in kind.split(' ').skip(1) {
        match word.split_once('=') {
            Some(("on", "both")) => block.nodes.extend(NodeName::first(2)),
            Some(("on", name)) => block.nodes.extend(node_of(name)),
            Some(("holder", name)) => block.holder = node_of(name),
            _ if word == "cib" => block.cib = true,
            _ => return Err(wrong(format!("the guide has a block with {word:?}"))),
        }
    }
    ensure(!block.nodes.is_empty(), || format!("the guide does not say where to run: {}", block.commands))?;
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_with_where_they_run_and_what_they_print() {
        let guide = "# T\n```sh on=both\nno\n```\n## Keep it\n```sh on=server2 holder=server1\na\nb\n```\n\n```text\nx\n```\n## Next\n```sh\nno\n```\n";
        let found = blocks(guide, "Keep").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].commands, "a\nb\n");
        assert_eq!(found[0].printed.as_deref(), Some("x\n"));
        assert_eq!(
            (found[0].nodes.clone(), found[0].holder),
            (vec![node_of("server2").unwrap()], node_of("server1"))
        );
        assert!(blocks(guide, "Next").is_err(), "a block that does not say where it runs");
    }

    #[test]
    fn no_command_of_the_guide_is_left_out() {
        let all = GUIDE.lines().filter(|line| line.starts_with("```sh")).count();
        let run: usize = ["Keep Heartbeat", "Or move on to Pacemaker"]
            .iter()
            .map(|part| blocks(GUIDE, part).unwrap().len())
            .sum();
        assert_eq!(run, all);
        assert!(!GUIDE.contains("\n    $ "), "commands stand in blocks that say where they run");
    }
}
