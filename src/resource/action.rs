//! What is requested of a resource, and what comes of it.

use crate::base::deadline::Deadline;
use crate::params::Params;

/// An action of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Take the address, unless it is here already.
    Start,
    /// Release the address if it is here, as far as `on_stop` says.
    Stop,
    /// Check whether it is held; recurs while the resource runs.
    Monitor {
        /// `OCF_CHECK_LEVEL`: from 10 on, always query EC2.
        level: u32,
    },
    /// Check whether it is held; runs on every node before anything is started.
    Probe {
        /// `OCF_CHECK_LEVEL`, as for [`Action::Monitor`].
        level: u32,
    },
    /// Check the parameters; from level 10 on, also whether they work on this node.
    Validate {
        /// `OCF_CHECK_LEVEL`: below 10 only the parameters are checked.
        level: u32,
    },
    /// Prepare for the move to another node.
    MigrateTo,
    /// Take the address from the node that it is migrated from.
    MigrateFrom,
    /// Accept changed parameters: nothing runs on that would have to learn them.
    Reload,
}

impl Action {
    /// Its name in OCF.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Monitor { .. } | Self::Probe { .. } => "monitor",
            Self::Validate { .. } => "validate-all",
            Self::MigrateTo => "migrate_to",
            Self::MigrateFrom => "migrate_from",
            Self::Reload => "reload-agent",
        }
    }
}

/// One request to a resource, by default to one of the kind `eip`.
#[derive(Debug, Clone)]
pub struct Request<P = Params> {
    /// What to do.
    pub action: Action,
    /// Parameters of the resource.
    pub params: P,
    /// When to give up.
    pub deadline: Deadline,
    /// The cluster's names for this node, the nearest first: a bundle has its own name and its host's. Empty if the cluster
    /// provides none.
    pub nodes: Vec<String>,
}

/// The result of a request that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Done; for a monitor: the address is here.
    Done,
    /// The address is not here, with the evidence.
    NotHere(String),
}
