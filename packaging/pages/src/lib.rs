//! Writes what is made from the agent's own tables: man pages, the shell completion, the meta-data in `ocf/` for those who read
//! it without building the agent, and the table of exit codes in `docs/behaviour.md`. So they can't promise what the program
//! does not do, and a review shows what a change does to users' configurations.
//!
//! The results are checked in, so that packages are built with cargo alone; a test fails when they are older than the tables. `elastic-ip(8)` and `eip-keepalived(8)` are written by hand, and a test compares their names with the code.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eip::face::ctl;
use eip::ocf::agent;
use eip::ocf::meta_data::meta_data;
use eip::resource::error;

mod eipctl;
mod ocf;

/// Where the table of exit codes is.
const BEHAVIOUR: &str = "docs/behaviour.md";
/// What stands before and after it there.
const TABLE: [&str; 2] = ["<!-- Written by `make pages` from src/resource/error.rs -->\n", "<!-- end -->"];

/// A file that is generated, or a part of it.
#[derive(Debug)]
pub struct Page {
    /// Relative to the clone.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

/// Returns every file that this crate generates.
///
/// # Errors
/// If an agent has no file in `examples/`, or a document no place for a table.
pub fn all() -> io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    for agent in agent::WITH_HEALTH {
        let path = format!("packaging/man/man7/ocf_heartbeat_{}.7", agent.name);
        pages.push(Page { path: path.into(), text: ocf::page(agent)? });
        for (suffix, version) in [("", None), ("-1.1", Some((1, 1)))] {
            let path = format!("ocf/{}{suffix}.xml", agent.name);
            pages.push(Page { path: path.into(), text: meta_data(agent, version) });
        }
    }
    pages.push(Page { path: "packaging/man/man8/eipctl.8".into(), text: eipctl::page()? });
    pages.push(Page { path: "packaging/completions/eipctl".into(), text: completion() });
    pages.push(Page { path: BEHAVIOUR.into(), text: behaviour()? });
    Ok(pages)
}

/// Returns the document on behaviour with the table of exit codes of today.
fn behaviour() -> io::Result<String> {
    let text = fs::read_to_string(root().join(BEHAVIOUR))?;
    let [begin, end] = TABLE;
    let parts = text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = parts.ok_or_else(|| io::Error::other(format!("{BEHAVIOUR}: no {begin}")))?;
    Ok(format!("{before}{begin}\n{}\n{end}{after}", error::table()))
}

/// Returns the completion of `eipctl` for bash.
fn completion() -> String {
    let mut script = Vec::new();
    clap_complete::generate(clap_complete::Shell::Bash, &mut ctl::command::command(), ctl::NAME, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Returns a template with a value in place of `@NAME@`. A placeholder on a line of its own takes the newline of the value.
fn fill(template: &str, name: &str, value: &str) -> String {
    template.replace(&format!("@{name}@"), value.trim_end_matches('\n'))
}

/// The clone that this crate was built from.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."))
}

/// Writes the pages that differ from what is there, and returns their paths.
///
/// # Errors
/// If a file can't be read or written.
pub fn renew() -> io::Result<Vec<PathBuf>> {
    let mut renewed = Vec::new();
    for page in all()? {
        let path = root().join(&page.path);
        if fs::read_to_string(&path).ok().as_ref() != Some(&page.text) {
            fs::write(&path, &page.text)?;
            renewed.push(page.path);
        }
    }
    Ok(renewed)
}
