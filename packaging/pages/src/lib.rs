//! Writes the man pages and the shell completion that are made from the agent's own tables: parameters, actions, options and
//! defaults, so that a page can't promise what the program does not do.
//!
//! The results are checked in below `packaging/`, so that packages are built with cargo alone; a test fails when they are older
//! than the tables. `elastic-ip(8)` and `eip-keepalived(8)` are written by hand, and a test compares their names with the code.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eip::face::ctl;
use eip::ocf::agent;

mod eipctl;
mod ocf;

/// A generated file.
#[derive(Debug)]
pub struct Page {
    /// Relative to `packaging/`.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

/// Returns every file that this crate generates.
///
/// # Errors
/// If an agent has no file in `examples/`.
pub fn all() -> io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    for agent in agent::ALL {
        let path = format!("man/man7/ocf_heartbeat_{}.7", agent.name);
        pages.push(Page { path: path.into(), text: ocf::page(agent)? });
    }
    pages.push(Page { path: "man/man8/eipctl.8".into(), text: eipctl::page()? });
    pages.push(Page { path: "completions/eipctl".into(), text: completion() });
    Ok(pages)
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

/// Returns `packaging/` of the clone that this crate was built from.
#[must_use]
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Writes the pages that differ from what is there, and returns their paths.
///
/// # Errors
/// If a file can't be read or written.
pub fn renew() -> io::Result<Vec<PathBuf>> {
    let mut renewed = Vec::new();
    for page in all()? {
        let path = folder().join(&page.path);
        if fs::read_to_string(&path).ok().as_ref() != Some(&page.text) {
            fs::write(&path, &page.text)?;
            renewed.push(page.path);
        }
    }
    Ok(renewed)
}
