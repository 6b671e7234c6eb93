//! The outcome of a run, and assertions about it.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use aws_sim::{LoggedRequest, Service};

use crate::folder;
use crate::run::Run;

/// Actions whose purpose is output.
const PRINTING: [&str; 4] = ["meta-data", "usage", "help", "methods"];
/// Actions on the resource.
const ACTIONS: [&str; 8] =
    ["start", "stop", "monitor", "status", "validate-all", "migrate_to", "migrate_from", "reload-agent"];
/// Pacemaker truncates an exit reason to this length.
const LONGEST_REASON: usize = 128;

/// Prefixes of every secret of a role, session token, metadata token, authorisation header and signature of the simulator.
const SECRETS: [&str; 7] = [
    "RoleSecret",
    "IQoJb3JpZ2luX2Vj",
    "AQAE",
    "AWS4-HMAC-SHA256",
    "Signature=",
    "X-Amz-Security-Token",
    "SecretAccessKey",
];

/// Everything observed of a run.
#[derive(Debug)]
pub struct RunOutcome {
    /// Exit code; negative for a signal, such as -9.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Text that was added to `HA_LOGFILE`.
    pub log: String,
    /// From the start of the process to its end.
    pub took: Duration,
    /// How much of that it waited for a processor, which is not the agent's fault.
    waited: Duration,
    /// Requests from this node to the simulator meanwhile.
    pub requests: Vec<LoggedRequest>,
    title: String,
    prefix: String,
}

impl RunOutcome {
    pub(crate) fn new(
        run: &Run,
        status: ExitStatus,
        stdout: String,
        stderr: String,
        [took, waited]: [Duration; 2],
        first: u64,
    ) -> Self {
        let node = run.node();
        let of_this_node =
            |request: &LoggedRequest| request.instance.as_ref().is_none_or(|instance| instance == node.id());
        let requests = node.cloud.log().into_iter().filter(|r| r.seq > first && of_this_node(r)).collect();
        // Not a device: some of those never end.
        let log = run.variable("HA_LOGFILE").filter(|path| Path::new(path).is_file());
        let log = log.and_then(|path| std::fs::read_to_string(path).ok());
        let prefix = run.variable("OCF_EXIT_REASON_PREFIX").filter(|prefix| !prefix.is_empty());
        Self {
            code: status.code().unwrap_or_else(|| -status.signal().unwrap_or(0)),
            stdout,
            stderr,
            log: log.unwrap_or_default(),
            took,
            waited,
            requests,
            title: format!("{} on {}", run.action(), node.name),
            prefix: prefix.unwrap_or("ocf-exit-reason:").to_owned(),
        }
    }

    /// Asserts what holds for every run.
    #[track_caller]
    pub(crate) fn check(&self, run: &Run) {
        let told = self.told();
        assert!(
            self.took.saturating_sub(self.waited) < run.timeout(),
            "Pacemaker would have killed it\n{told}"
        );
        let action = run.action();
        if !run.is_ocf() {
            return self.check_secrets(run, &told);
        }
        assert!(PRINTING.contains(&action) || self.stdout.is_empty(), "there is output\n{told}");
        if ACTIONS.contains(&action) {
            self.check_reason(run, &told);
        }
        self.check_secrets(run, &told);
    }

    /// Asserts that a failure has exactly one reason in the right form, and that success is silent.
    #[track_caller]
    fn check_reason(&self, run: &Run, told: &str) {
        let reasons = self.reasons();
        let plain_probe = self.code == 7 && run.is_probe();
        let wanted = usize::from(self.code != 0 && !plain_probe);
        assert_eq!(reasons.len(), wanted, "exit reasons\n{told}");
        for reason in &reasons {
            assert!(reason.is_ascii() && !reason.contains(char::is_control), "not a line of ASCII\n{told}");
            assert!(!reason.is_empty() && reason.len() <= LONGEST_REASON, "its length\n{told}");
        }
        // Under the cluster, log lines go elsewhere.
        let facility = run.variable("HA_LOGFACILITY").filter(|name| *name != "none");
        let to_the_cluster = run.variable("HA_LOGFILE").is_some() || facility.is_some();
        let traced_here = run.variable("OCF_TRACE_FILE") == Some("/dev/stderr");
        if to_the_cluster && !traced_here {
            assert_eq!(self.stderr.lines().count(), wanted, "lines on standard error\n{told}");
        }
        let monitor = matches!(run.action(), "monitor" | "status");
        assert!(self.code != 7 || monitor, "only monitor may return 7\n{told}");
        assert!((0..=7).contains(&self.code), "not an OCF exit code\n{told}");
    }

    /// Asserts that nothing that was written contains a secret.
    #[track_caller]
    fn check_secrets(&self, run: &Run, told: &str) {
        let mut written =
            vec![("stdout".into(), self.stdout.clone()), ("stderr".into(), self.stderr.clone())];
        for part in ["log", "state", "trace"] {
            written.extend(folder::texts(&run.node().folder().join(part)));
        }
        for (path, text) in written {
            let mut secrets = SECRETS.into_iter().chain(run.secrets().iter().map(String::as_str));
            let found = secrets.find(|secret| text.contains(secret));
            assert_eq!(found, None, "a secret in {}:\n{text}\n{told}", path.display());
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n{}", self.told());
        self
    }

    /// Asserts that the exit reason contains this.
    #[track_caller]
    pub fn reason(self, part: impl AsRef<str>) -> Self {
        let part = part.as_ref();
        let found = self.reasons().iter().any(|reason| reason.contains(part));
        assert!(found, "no {part:?} in the reason\n{}", self.told());
        self
    }

    /// Asserts that standard output contains this.
    #[track_caller]
    pub fn prints(self, part: impl AsRef<str>) -> Self {
        let part = part.as_ref();
        assert!(self.stdout.contains(part), "no {part:?} on standard output\n{}", self.told());
        self
    }

    /// Asserts that a line of standard output contains all of these.
    #[track_caller]
    pub fn prints_line(self, parts: &[&str]) -> Self {
        let found = self.stdout.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found, "no line with {parts:?} on standard output\n{}", self.told());
        self
    }

    /// Asserts that standard error is one line, which begins with the name of the program and contains this.
    #[track_caller]
    pub fn complains(self, program: &str, part: impl AsRef<str>) -> Self {
        let part = part.as_ref();
        let right = self.stderr.lines().count() == 1
            && self.stderr.starts_with(&format!("{program}: "))
            && self.stderr.contains(part);
        assert!(right, "not one line by {program} with {part:?} on standard error\n{}", self.told());
        self
    }

    /// Asserts that a line of standard error contains this.
    #[track_caller]
    pub fn says(self, part: impl AsRef<str>) -> Self {
        let part = part.as_ref();
        assert!(self.stderr.contains(part), "no {part:?} on standard error\n{}", self.told());
        self
    }

    /// Asserts that a line of the log contains all of these.
    #[track_caller]
    pub fn logged(self, parts: &[&str]) -> Self {
        let found = self.log.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found, "no line with {parts:?} in the log\n{}", self.told());
        self
    }

    /// Asserts that no line of the log contains this.
    #[track_caller]
    pub fn not_logged(self, part: &str) -> Self {
        assert!(!self.log.contains(part), "{part:?} in the log\n{}", self.told());
        self
    }

    /// Asserts the number of requests to EC2.
    #[track_caller]
    pub fn ec2_calls(self, count: usize) -> Self {
        assert_eq!(self.ec2().len(), count, "EC2 calls\n{}", self.told());
        self
    }

    /// Asserts the EC2 operations that were called, in order.
    #[track_caller]
    pub fn asked_ec2(self, operations: &[&str]) -> Self {
        let asked: Vec<&str> = self.ec2().iter().map(|request| request.operation.as_str()).collect();
        assert_eq!(asked, operations, "EC2 calls\n{}", self.told());
        self
    }

    /// Asserts that no mutating call reached EC2.
    #[track_caller]
    pub fn wrote_nothing(self) -> Self {
        let wrote = self.ec2().iter().any(|r| !r.operation.starts_with("Describe") && !r.dry_run);
        assert!(!wrote, "something was written\n{}", self.told());
        self
    }

    /// Asserts that there were no requests at all.
    #[track_caller]
    pub fn no_requests(self) -> Self {
        assert!(self.requests.is_empty(), "there were requests\n{}", self.told());
        self
    }

    /// Asserts a maximum duration, not counting the time spent waiting for a processor.
    #[track_caller]
    pub fn within(self, limit: Duration) -> Self {
        assert!(
            self.took.saturating_sub(self.waited) <= limit,
            "it took longer than {limit:?}\n{}",
            self.told()
        );
        self
    }

    /// Asserts a minimum duration.
    #[track_caller]
    pub fn not_before(self, limit: Duration) -> Self {
        assert!(self.took >= limit, "it took less than {limit:?}\n{}", self.told());
        self
    }

    /// Exit reasons, without their prefix.
    pub fn reasons(&self) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.strip_prefix(&self.prefix)).collect()
    }

    /// Requests to EC2.
    pub fn ec2(&self) -> Vec<&LoggedRequest> {
        self.requests.iter().filter(|request| request.service == Service::Ec2).collect()
    }

    /// Requests to EC2 for one operation.
    pub fn calls(&self, operation: &str) -> Vec<&LoggedRequest> {
        self.ec2().into_iter().filter(|request| request.operation == operation).collect()
    }

    /// Requests to the metadata service whose path contains `part`.
    pub fn imds(&self, part: &str) -> Vec<&LoggedRequest> {
        let wanted = |r: &&LoggedRequest| r.service == Service::Imds && r.operation.contains(part);
        self.requests.iter().filter(wanted).collect()
    }

    /// The whole outcome, for the message of a failed assertion.
    pub fn told(&self) -> String {
        let (title, code, took, waited) = (&self.title, self.code, self.took, self.waited);
        let mut text =
            format!("--- {title}: exit {code} after {took:?}, of which {waited:?} without a processor\n");
        for (name, part) in [("stdout", &self.stdout), ("stderr", &self.stderr), ("log", &self.log)] {
            if !part.is_empty() {
                let _ = writeln!(text, "--- {name}\n{}", part.trim_end());
            }
        }
        text.push_str("--- requests\n");
        let zero = self.requests.first().map_or(0.0, |request| request.at);
        for r in &self.requests {
            let dry = if r.dry_run { " (dry run)" } else { "" };
            let code = r.code.as_deref().unwrap_or_default();
            let fault = r.fault.as_deref().unwrap_or_default();
            let _ = write!(
                text,
                "{:+.3} {:?} {}{dry}: {} {code} {fault}",
                r.at - zero,
                r.service,
                r.operation,
                r.status
            );
            for (name, value) in &r.params {
                let _ = write!(text, " {name}={value}");
            }
            text.push('\n');
        }
        text
    }
}
