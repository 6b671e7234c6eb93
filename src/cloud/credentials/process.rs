//! `credential_process`: a program that prints credentials, such as the signing helper of IAM Roles Anywhere.
//!
//! As in the aws command, no shell is involved: the line is split into words with a shell's quoting rules. A shell
//! would also expand its contents.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;

use super::chain::{Missing, Source, credentials};
use super::document::{CredentialsDocument, CredentialsDocumentError};
use crate::base::text::brief;

/// Limit for the program's output.
const LARGEST: u64 = 64 << 10;
/// Limit for the part of its standard error that is reported.
const LONGEST_COMPLAINT: usize = 200;
/// Polling interval for the exit of a program that has closed its output.
const PAUSE: Duration = Duration::from_millis(5);

/// The `credential_process` of a profile, which is run without a shell.
pub(super) struct CredentialProcess {
    pub profile: String,
    pub command: String,
}

// The command line may contain secrets.
impl std::fmt::Debug for CredentialProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialProcess").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// A running program, killed on drop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

impl CredentialProcess {
    async fn run(&self) -> Result<Credentials, String> {
        let words = shlex::split(&self.command).ok_or("a quote is not closed")?;
        let (program, arguments) = words.split_first().ok_or("no program")?;
        let failed = |error: std::io::Error| format!("{program}: {error}");
        let (output, output_of) = pair().map_err(failed)?;
        let (complaint, complaint_of) = pair().map_err(failed)?;
        // The command holds the other ends; only the program may keep them open.
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output_of)
            .stderr(complaint_of)
            .spawn()
            .map_err(failed)?;
        let mut running = Running(child);
        let (output, complaint) = tokio::join!(all_of(output), all_of(complaint));
        let status = ended(&mut running).await.map_err(failed)?;
        if !status.success() {
            let complaint = complaint.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let complaint = complaint.unwrap_or_default();
            let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let text = format!("{status}: {}", brief(last.trim(), LONGEST_COMPLAINT));
            return Err(text.trim_end_matches(": ").to_owned());
        }
        let output = output.map_err(failed)?;
        let text = String::from_utf8(output).map_err(|_| "its output is not UTF-8 text".to_owned())?;
        match CredentialsDocument::of_process(&text) {
            Ok(keys) => Ok(credentials(keys, "credential_process")),
            Err(CredentialsDocumentError::Garbled) => {
                Err("its output is not a JSON object with credentials".to_owned())
            }
            Err(CredentialsDocumentError::Refused(words)) => Err(words),
        }
    }
}

impl Source for CredentialProcess {
    async fn load(&self) -> provider::Result {
        self.run().await.map_err(|words| {
            Missing::refused(format!("credential_process of profile {}: {words}", self.profile))
        })
    }
}

/// The two ends of a pipe, one for this runtime and one for a program.
fn pair() -> std::io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs.into()))
}

/// Reads to the end, up to the limit.
async fn all_of(stream: UnixStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = stream.take(LARGEST + 1).read_to_end(&mut bytes).await?;
    if read as u64 > LARGEST {
        return Err(std::io::Error::other("its output is too long"));
    }
    Ok(bytes)
}

async fn ended(running: &mut Running) -> std::io::Result<ExitStatus> {
    loop {
        if let Some(status) = running.0.try_wait()? {
            return Ok(status);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
