//! One call of the built agent with limited memory, and its outcome.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Seek as _, SeekFrom};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use agent_tests::waited_of;

/// What an agent may have, in bytes: as memory that it writes to, which the kernel refuses past that, and as what it was seen to
/// have.
pub const MEMORY: u64 = 64 << 20;
/// How long after its time it is killed, so that the verdict can say by how much it was late.
const LATE: Duration = Duration::from_secs(4);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(4);
/// No agent prints so much.
const LONGEST_OUTPUT: u64 = 8 << 20;

/// A call in preparation.
#[derive(Debug, Clone)]
pub struct AgentCall {
    /// The way into namespaces, if there is one.
    pub before: Vec<String>,
    /// The link by whose name it is called.
    pub program: PathBuf,
    /// The arguments.
    pub arguments: Vec<OsString>,
    /// The environment, all of it.
    pub variables: BTreeMap<OsString, OsString>,
    /// Where it runs, and where its logs are.
    pub folder: PathBuf,
    /// By when the cluster would kill it.
    pub timeout: Duration,
}

/// What came of a call.
#[derive(Debug)]
pub struct CallOutcome {
    /// Exit code; -9 and the like for a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The files that it wrote lines into, with their ends.
    pub logs: Vec<(PathBuf, Vec<u8>)>,
    /// How long it took.
    pub took: Duration,
    /// For how long of that it was ready and the machine had no processor for it.
    pub waited: Duration,
    /// The most memory it was seen to have.
    pub peak: u64,
}

impl AgentCall {
    /// Sets a variable.
    pub fn set(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Takes a variable away.
    pub fn unset(mut self, name: &str) -> Self {
        self.variables.remove(OsStr::new(name));
        self
    }

    /// Sets the time after which the cluster would kill it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self.set("OCF_RESKEY_CRM_meta_timeout", timeout.as_millis().to_string())
    }

    /// Runs it.
    pub fn run(&self) -> CallOutcome {
        let limit = format!("--data={MEMORY}:{MEMORY}");
        let mut line: Vec<OsString> = self.before.iter().map(OsString::from).collect();
        line.extend(["prlimit".into(), limit.into(), "--core=0".into(), "--".into()]);
        line.push(self.program.clone().into_os_string());
        line.extend(self.arguments.iter().cloned());
        let began = Instant::now();
        let mut child = Command::new(&line[0])
            .args(&line[1..])
            .env_clear()
            .envs(&self.variables)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", line[0].display()));
        let (stdout, stderr) =
            (child.stdout.take().expect("its output"), child.stderr.take().expect("its errors"));
        let reads = [thread::spawn(move || all(stdout)), thread::spawn(move || all(stderr))];
        let status_file = format!("/proc/{}/status", child.id());
        let (mut peak, mut waited, kill_at) = (0, Duration::ZERO, began + self.timeout + LATE);
        let status = loop {
            peak = peak.max(memory_of(&status_file).unwrap_or_default());
            waited = waited.max(waited_of(child.id()));
            match child.try_wait().expect("its state") {
                Some(status) => break status,
                None if Instant::now() > kill_at => {
                    let _ = child.kill();
                }
                None => {}
            }
            thread::sleep(LOOK_EVERY);
        };
        let took = began.elapsed();
        let [stdout, stderr] = reads.map(|read| read.join().expect("what it wrote"));
        let code = status.code().unwrap_or_else(|| -status.signal().unwrap_or(0));
        CallOutcome { code, stdout, stderr, logs: logs(&self.folder), took, waited, peak }
    }
}

fn all(from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = from.take(LONGEST_OUTPUT).read_to_end(&mut bytes);
    bytes
}

/// Returns the largest amount of memory that a process had so far.
///
/// # Source
/// proc(5): `VmHWM`, the peak of the resident set.
fn memory_of(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Returns the plain files of the folders for logs, the last part of each.
fn logs(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for part in ["log", "trace"] {
        for path in fs::read_dir(folder.join(part)).into_iter().flatten().flatten().map(|entry| entry.path())
        {
            if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file())
                && let Ok(mut file) = fs::File::open(&path)
            {
                let length = file.metadata().map_or(0, |meta| meta.len());
                let _ = file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_OUTPUT)));
                found.push((path, all(file)));
            }
        }
    }
    found
}
