//! Queries on XML documents, answered by `xmllint` so that this crate needs no parser of its own.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::{CommandOutput, command};

/// What an `XPath` expression finds: for attributes their values, one each.
pub(crate) fn values(document: &str, xpath: &str) -> Vec<String> {
    let answer = xmllint(document, &["--xpath", xpath]);
    // "Found nothing": 10, and 11 from libxml2 2.14 on.
    assert!(matches!(answer.code, 0 | 10 | 11), "{}", answer.told());
    let text = |line: &str| match line.trim().split_once('=') {
        Some((_, value)) => value.trim_matches('"').to_owned(),
        None => line.to_owned(),
    };
    answer.stdout.lines().map(text).collect()
}

/// Result of an `XPath` expression of type string.
pub(crate) fn string(document: &str, xpath: &str) -> String {
    let answer = xmllint(document, &["--xpath", &format!("string({xpath})")]).exits(0);
    answer.stdout.trim_end_matches('\n').to_owned()
}

/// Validates a document against a schema; `kind` is xmllint's option for it.
pub(crate) fn validate(document: &str, kind: &str, schema: &Path) -> CommandOutput {
    let schema = schema.to_str().expect("a path in UTF-8");
    xmllint(document, &["--noout", kind, schema])
}

fn xmllint(document: &str, arguments: &[&str]) -> CommandOutput {
    let mut xmllint: Command = command("xmllint");
    // A DTD that is named in the document is looked for in the catalogue only.
    xmllint.args(["--nonet"]).args(arguments).arg("-");
    fed(&mut xmllint, document)
}

/// Runs a command with `input` on its standard input.
pub(crate) fn fed(command: &mut Command, input: &str) -> CommandOutput {
    let (read, mut write) = std::io::pipe().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || write.write_all(input.as_bytes()));
    let answer = crate::program::run(command.stdin(Stdio::from(read)));
    // Otherwise the reading end stays open in this process.
    command.stdin(Stdio::null());
    // If a reader stops early, its own result shows why.
    let _ = writer.join();
    answer
}
