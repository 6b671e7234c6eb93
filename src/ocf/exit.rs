//! The exit codes of the standard.

/// What an action answers to the cluster.
///
/// # Source
/// OCF Resource Agent API 1.1, "Exit status codes"; the codes above 7 are for promotable resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// Done, or for `monitor`: running here.
    Success = 0,
    /// Failed; Pacemaker tries to recover.
    Generic = 1,
    /// A parameter does not hold on this node; the node is banned.
    Args = 2,
    /// There is no such action.
    Unimplemented = 3,
    /// Something denied access; the node is banned.
    Permission = 4,
    /// Something that has to be there is missing on this node; the node is banned.
    Installed = 5,
    /// A parameter cannot hold anywhere; the resource is stopped on all nodes.
    Configured = 6,
    /// Cleanly not running here; an answer of `monitor` alone.
    NotRunning = 7,
}

impl From<ExitCode> for u8 {
    fn from(code: ExitCode) -> Self {
        code as u8
    }
}
