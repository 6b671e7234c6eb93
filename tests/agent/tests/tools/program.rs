//! Programs of the machine: their paths, their packages, their output.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The folders in which a cluster node finds its programs.
const FOLDERS: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Time limit for a tool, in seconds; the slowest, pcs, takes two on a machine that compiles at the same time.
pub(crate) const LIMIT: &str = "90";

/// Exit code of `timeout` if it had to end a command.
const TIMED_OUT: i32 = 124;

/// Result of a command.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    /// The command, for messages.
    line: String,
    pub(crate) code: i32,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

impl CommandOutput {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.told());
        self
    }

    /// Asserts that standard output or standard error contains a text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.both().contains(text), "expected: {text}\n{}", self.told());
        self
    }

    /// Asserts that neither contains a text.
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.both().contains(text), "not expected: {text}\n{}", self.told());
        self
    }

    /// Asserts that standard error is empty.
    #[track_caller]
    pub(crate) fn without_complaint(self) -> Self {
        assert_eq!(self.stderr, "", "{}", self.told());
        self
    }

    /// Asserts that the output is one line, without any from the agent; `crm_resource` prints all output of the agent.
    #[track_caller]
    pub(crate) fn in_one_line(self) -> Self {
        assert_eq!(self.stdout.lines().count(), 1, "{}", self.told());
        self.without_complaint()
    }

    /// Standard output and standard error together.
    pub(crate) fn both(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The whole result, for a message.
    pub(crate) fn told(&self) -> String {
        format!("$ {}\n{}{}(exit code {})", self.line, self.stdout, self.stderr, self.code)
    }
}

/// Path of a program.
///
/// # Panics
/// If it is not installed; the message says what installs it.
#[track_caller]
pub(crate) fn installed(name: &str) -> PathBuf {
    let found = FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not installed: sh tests/requirements cluster test"))
}

/// A file of a package, from a list of the paths that distributions use.
///
/// # Panics
/// If none of them exists; the message names the package.
#[track_caller]
pub(crate) fn file_of(package: &str, places: &[&str]) -> PathBuf {
    let found = places.iter().map(PathBuf::from).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("none of {places:?} is there: the package {package} is not installed"))
}

/// A command with the login environment of a cluster node and without input.
#[track_caller]
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(installed(name));
    command.env_clear().envs([
        ("PATH", FOLDERS.join(":").as_str()),
        ("HOME", "/root"),
        ("LC_ALL", "C.UTF-8"),
        ("TERM", "dumb"),
    ]);
    command.stdin(Stdio::null());
    command
}

/// The prefix that ends a command after this limit, in seconds.
pub(crate) fn limited(limit: &str) -> [&str; 4] {
    ["timeout", "--kill-after=5", limit, "env"]
}

/// Runs a command to its end.
///
/// # Panics
/// If it can't be run, or had to be ended because it took too long.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> CommandOutput {
    let line = format!("{command:?}");
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{line}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output in UTF-8");
    let answer =
        CommandOutput { line, code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) };
    assert_ne!(answer.code, TIMED_OUT, "took too long\n{}", answer.told());
    answer
}
