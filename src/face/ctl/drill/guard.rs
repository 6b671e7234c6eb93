//! Who takes the constraint of a move away when nobody else can: after Ctrl-C, a lost terminal, or a kill.
//!
//! It is a shell that waits for a word on its input. When the drill ends in whatever way without having said it, the kernel
//! closes the other end. It is in a process group of its own, so that what ends the drill does not end it.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};

use super::tools::Tools;
use crate::face::ctl::NAME;

/// `$0` is the name to speak by, `$1` the resource.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
read -r word && exit 0
if crm_resource --clear --resource "$1" >/dev/null 2>&1; then
    echo "$0: interrupted: the constraint of the move is removed, $1 stays where it is" >&2
else
    echo "$0: interrupted, and the constraint of the move is left: crm_resource --clear --resource $1" >&2
fi
"#;

/// The guard of one drill.
pub(super) struct Guard(Child);

impl Guard {
    /// Sets the guard. From here on the constraint goes away with this process.
    ///
    /// # Errors
    /// Why there can be none, in a sentence.
    pub fn set(tools: &Tools, resource: &str) -> Result<Self, String> {
        let mut command = tools.command("sh");
        command.args(["-c", SCRIPT, NAME, resource]).process_group(0);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        child.map(Self).map_err(|error| format!("sh: {error}"))
    }

    /// Ends the guard: its work is done.
    pub fn dismiss(mut self) {
        if let Some(mut input) = self.0.stdin.take() {
            // It fails where somebody has killed the guard; then there is nothing left to end.
            let _ = input.write_all(b"done\n");
        }
        let _ = self.0.wait();
    }
}
