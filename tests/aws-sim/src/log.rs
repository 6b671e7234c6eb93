//! The request log: every request to EC2, STS and the instance metadata, in order of arrival.

use std::{collections::BTreeMap, net::SocketAddr};

use serde::Serialize;

use eip::base::ids::{AssociationId, InstanceId};
use eip::cloud::model::Service;

/// One request and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedRequest {
    /// Position in the log since the start, from 1; it goes on counting when the log is cleared.
    pub seq: u64,
    /// Arrival of the whole request, in seconds since 1970.
    pub at: f64,
    /// When the answer was handed to the connection, whether or not the client still waited; `None` while it is
    /// pending and when none is given.
    pub answered_at: Option<f64>,
    /// The service called.
    pub service: Service,
    /// EC2 or STS action, or for the instance metadata method and path, for example `PUT /latest/api/token`. A
    /// connection refused by [`ImdsState::Refuse`](crate::ImdsState::Refuse) is logged as `connect`.
    pub operation: String,
    /// Parameters as sent, without `Action` and `Version`.
    pub params: BTreeMap<String, String>,
    /// Whether `DryRun` was true.
    pub dry_run: bool,
    /// Where the connection came from.
    pub peer: SocketAddr,
    /// The calling instance: of the session credentials, else the one that has the peer's address, else the one
    /// whose metadata is served.
    pub instance: Option<InstanceId>,
    /// HTTP status put on the wire, 0 when there is none.
    pub status: u16,
    /// AWS error code, if the answer was an error.
    pub code: Option<String>,
    /// The request identifier in header and document.
    pub request_id: String,
    /// Name of the fault that struck, see [`FaultKind::name`](crate::FaultKind::name).
    pub fault: Option<String>,
    /// For `AssociateAddress` the association it led to, for `DisassociateAddress` the one it dissolved; also when
    /// the answer was lost.
    pub association_id: Option<AssociationId>,
}

impl LoggedRequest {
    /// Tells whether this is the EC2 or STS action `name`, not as a dry run.
    pub fn is(&self, name: &str) -> bool {
        self.operation == name && !self.dry_run
    }
}

/// The log itself.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    requests: Vec<LoggedRequest>,
    last: u64,
}

impl RequestLog {
    /// Appends a request and returns its number.
    pub(crate) fn arrive(&mut self, make: impl FnOnce(u64) -> LoggedRequest) -> u64 {
        self.last += 1;
        self.requests.push(make(self.last));
        self.last
    }

    /// Returns a request that is still in the log.
    pub(crate) fn get_mut(&mut self, seq: u64) -> Option<&mut LoggedRequest> {
        self.requests.iter_mut().rev().find(|r| r.seq == seq)
    }

    pub(crate) fn all(&self) -> &[LoggedRequest] {
        &self.requests
    }

    pub(crate) fn clear(&mut self) {
        self.requests.clear();
    }
}
