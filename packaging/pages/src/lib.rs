//! Writes what is installed beside the agent and says nothing of its own: man pages and shell completion.
//!
//! Parameters, actions and options come from the tables that the agent itself works by, so that a page cannot say what the
//! agent does not do. The results are checked in below `packaging/`, so that packages are built with cargo alone; the tests
//! of this crate fail where they are older than the tables.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eip::face::ctl;

mod about;
mod agent;
mod command;
mod eipctl;
mod elastic_ip;
mod man;

pub use about::About;

/// How to write the pages anew, as said to whoever finds an old one.
pub const RENEW: &str = "make pages";

/// The agents that have a page.
pub const AGENTS: &[About] = &[about::elastic_ip::ABOUT, about::vip::ABOUT];

/// A file made from the tables.
#[derive(Debug)]
pub struct Page {
    /// Where it is, below `packaging/`.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

impl Page {
    fn new(path: impl Into<PathBuf>, text: String) -> Self {
        Self { path: path.into(), text }
    }
}

/// Returns every file that this crate makes.
#[must_use]
pub fn all() -> Vec<Page> {
    let mut pages: Vec<Page> = AGENTS
        .iter()
        .map(|about| Page::new(format!("man/man7/ocf_heartbeat_{}.7", about.agent.name), agent::page(about)))
        .collect();
    pages.push(Page::new("man/man8/eipctl.8", command::page(ctl::command::command(), &eipctl::WORDS)));
    pages.push(Page::new("man/man8/elastic-ip.8", elastic_ip::page()));
    pages.push(Page::new("completions/eipctl", completion(ctl::command::command())));
    pages
}

/// Returns the completion of a command for bash.
fn completion(mut command: clap::Command) -> String {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(clap_complete::Shell::Bash, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Returns the folder that the pages are in: `packaging/` of the clone that this crate was built from.
#[must_use]
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Writes the pages that are not as they should be below a folder, and returns their paths.
///
/// # Errors
/// Where a file can't be read or written.
pub fn renew(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut renewed = Vec::new();
    for page in all() {
        let path = folder.join(&page.path);
        match fs::read_to_string(&path) {
            Ok(text) if text == page.text => continue,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, &page.text)?;
        renewed.push(page.path);
    }
    Ok(renewed)
}
