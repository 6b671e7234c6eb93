//! The commands of a document, read for being run as its reader would run them.
//!
//! A block of commands says in its first line where it is run and what has to come of it: `sh on=host01 holder=host02`. A block of
//! text after it is what its last command prints.

use crate::error::{Error, Result, ensure};

/// A block of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What its first line says behind `sh`: a name and a value each.
    pub says: Vec<(String, String)>,
    /// The commands.
    pub commands: String,
    /// What the last of them prints.
    pub printed: Option<String>,
}

impl Block {
    /// Returns what the block says of a thing.
    #[must_use]
    pub fn says(&self, name: &str) -> Option<&str> {
        self.says.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Returns the blocks of the part of a document that begins with this heading and ends with the next one of its rank.
///
/// # Errors
/// [`Error::Wrong`] when there is none, or one of them says nothing.
pub fn blocks(document: &str, part: &str) -> Result<Vec<Block>> {
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
                let last = blocks.last_mut().ok_or_else(|| Error::Wrong("text before any command".into()))?;
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
    let says = says.ok_or_else(|| Error::Wrong(format!("no word says where to run: {commands}")))?;
    Ok(Block { says, commands, printed: None })
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
