//! The exit codes of the OCF standard.

/// The result of an action, as the cluster sees it.
///
/// # Source
/// OCF Resource Agent API 1.1, "Exit status codes"; the codes above 7 are for promotable resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// Success; for `monitor`, running here.
    Success = 0,
    /// Generic failure; Pacemaker tries to recover.
    Generic = 1,
    /// A parameter is invalid on this node; the node is banned.
    Args = 2,
    /// The agent has no such action.
    Unimplemented = 3,
    /// Permission denied; the node is banned.
    Permission = 4,
    /// A prerequisite is missing on this node; the node is banned.
    Installed = 5,
    /// A parameter is invalid on every node; the resource is stopped everywhere.
    Configured = 6,
    /// Cleanly stopped; returned by `monitor` only.
    NotRunning = 7,
}
