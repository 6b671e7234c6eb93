//! Runs programs with a time limit and captured output. A program never outlives its limit. Ctrl-C does not reach it: the
//! harness decides when it ends.

use std::fmt::{self, Display};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{HarnessError, Result};
use crate::interrupt;

/// Enough for `pcs`, the slowest program, while the machine is compiling.
const DEFAULT_LIMIT: Duration = Duration::from_secs(30);
/// Poll interval for a running program: well under the 40 ms that the fastest one takes.
const LOOK_EVERY: Duration = Duration::from_millis(4);
/// How much of a program's output an error quotes, in bytes.
const QUOTED: usize = 600;

/// A program to run.
#[derive(Debug, Clone)]
pub struct Cmd {
    words: Vec<String>,
    shown: Option<String>,
    limit: Duration,
    during_cleanup: bool,
}

/// How a program ended, and its output.
#[derive(Debug)]
pub struct Output {
    /// Exit code or signal.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Cmd {
    /// A command from a program and its arguments, with the default limit.
    pub fn new<I>(words: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let words = words.into_iter().map(Into::into).collect();
        Self { words, shown: None, limit: DEFAULT_LIMIT, during_cleanup: false }
    }

    /// Shows only this in messages, without the `nsenter` command line around it.
    #[must_use]
    pub fn shown_as(mut self, text: impl Into<String>) -> Self {
        self.shown = Some(text.into());
        self
    }

    /// Replaces the default limit of 30 s.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Keeps the program running after a signal, because it removes what the run has created.
    #[must_use]
    pub fn during_cleanup(mut self) -> Self {
        self.during_cleanup = true;
        self
    }

    /// The command for the standard library, in its own process group and without input.
    pub fn build(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words).stdin(Stdio::null()).process_group(0).current_dir("/");
        command
    }

    /// Runs the program to its end, whatever its exit status.
    ///
    /// # Errors
    /// [`HarnessError::Io`] if it cannot be started, [`HarnessError::CommandTimeout`] if it had to be killed,
    /// [`HarnessError::Interrupted`] if a signal came first.
    pub fn output(&self) -> Result<Output> {
        let mut command = self.build();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(HarnessError::io(format_args!("starting `{self}`")))?;
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let status = self.watch(&mut child)?;
        Ok(Output { status, stdout: collect(stdout), stderr: collect(stderr) })
    }

    /// Runs the program and returns its standard output if it exited with 0.
    ///
    /// # Errors
    /// [`HarnessError::Command`] if it ended in any other way; otherwise as [`Cmd::output`].
    pub fn run(&self) -> Result<String> {
        let output = self.output()?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = if output.stderr.trim().is_empty() { output.stdout } else { output.stderr };
        Err(HarnessError::Command {
            command: self.to_string(),
            status: output.status.to_string(),
            output: tail(&said),
        })
    }

    fn watch(&self, child: &mut Child) -> Result<ExitStatus> {
        let began = Instant::now();
        loop {
            if let Some(status) =
                child.try_wait().map_err(HarnessError::io(format_args!("waiting for `{self}`")))?
            {
                return Ok(status);
            }
            let late = began.elapsed() >= self.limit;
            if late || (!self.during_cleanup && interrupt::asked()) {
                kill_group(child);
                let limit = self.limit;
                return Err(if late {
                    HarnessError::CommandTimeout { command: self.to_string(), limit }
                } else {
                    HarnessError::Interrupted
                });
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shown {
            Some(text) => f.write_str(text),
            None => f.write_str(&self.words.join(" ")),
        }
    }
}

/// Kills a child that leads its own process group, together with that group, and reaps it.
pub fn kill_group(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It fails only if the group is gone already, which is the goal.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = child.wait();
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // If the pipe breaks, there is nothing more to read.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn collect(reader: JoinHandle<String>) -> String {
    reader.join().unwrap_or_default()
}

fn tail(text: &str) -> String {
    let text = text.trim();
    let from = text.char_indices().rev().nth(QUOTED).map_or(0, |(at, _)| at);
    text.get(from..).unwrap_or(text).to_owned()
}
