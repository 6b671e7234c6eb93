//! Clears the constraint of a move if the drill cannot: after Ctrl-C, a lost terminal, or a kill.
//!
//! A shell that waits for a line on its standard input. If the drill ends in any way without sending it, the kernel
//! closes the other end. It runs in a process group of its own, so that what ends the drill does not end it. A tool that
//! still requests the move keeps that end open, too: the constraint would be cleared before it is set.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::face::cluster::tools::Tools;
use crate::face::ctl::NAME;

/// `$0` is the name for messages, `$1` the resource, `$2` the time limit of a move in seconds.
///
/// Without its constraint, a move in progress might be reverted half-way.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
read -r word && exit 0
crm_resource --wait --timeout="$2" >/dev/null 2>&1
for pause in 1 2 4 8 0; do
    if crm_resource --clear --resource "$1" >/dev/null 2>&1; then
        echo "$0: interrupted: the constraint of the move is removed, $1 stays where it is" >&2
        exit 0
    fi
    sleep "$pause"
done
echo "$0: interrupted, and the constraint of the move is left: crm_resource --clear --resource $1" >&2
"#;

/// The guard of one drill.
pub(super) struct Guard(Child);

impl Guard {
    /// Starts the guard. From here on the constraint is cleared when this process ends, once a move in progress has
    /// finished or `limit` has passed.
    ///
    /// # Errors
    /// A sentence on why it cannot be started.
    pub fn set(tools: &Tools, resource: &str, limit: Duration) -> Result<Self, String> {
        let mut command = tools.command("sh");
        let limit = limit.as_secs().max(1).to_string();
        command.args(["-c", SCRIPT, NAME, resource, &limit]).process_group(0);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        child.map(Self).map_err(|error| format!("sh: {error}"))
    }

    /// The same tools, for which the guard waits while they request a move.
    ///
    /// # Errors
    /// A sentence on why the end of its pipe cannot be duplicated.
    pub fn awaits(&self, tools: &Tools) -> Result<Tools, String> {
        let end = self.0.stdin.as_ref().map(|input| input.as_fd().try_clone_to_owned()).transpose();
        Ok(tools.holding(end.map_err(|error| format!("sh: {error}"))?))
    }

    /// Stops the guard: it is no longer needed.
    pub fn dismiss(mut self) {
        if let Some(mut input) = self.0.stdin.take() {
            // Fails if the guard has been killed; then there is nothing left to stop.
            let _ = input.write_all(b"done\n");
        }
        let _ = self.0.wait();
    }
}
