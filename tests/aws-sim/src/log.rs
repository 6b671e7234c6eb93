//! The request log: every request to EC2, STS and instance metadata, in order of arrival.

use std::{collections::BTreeMap, net::SocketAddr};

use serde::Serialize;

use eip::base::ids::{AssociationId, InstanceId};
use eip::cloud::model::Service;

/// One request and its outcome.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedRequest {
    /// Position in the log since the start, from 1; clearing the log does not reset it.
    pub seq: u64,
    /// Arrival of the whole request, in seconds since 1970.
    pub at: f64,
    /// When the response was handed to the connection, whether or not the client still waited; `None` while it is pending, or if
    /// there is none.
    pub answered_at: Option<f64>,
    /// The called service.
    pub service: Service,
    /// EC2 or STS action, or method and path of the instance metadata, for example `PUT /latest/api/token`. A
    /// connection refused by [`ImdsState::Refuse`](crate::ImdsState::Refuse) is logged as `connect`.
    pub operation: String,
    /// Parameters as sent, without `Action` and `Version`.
    pub params: BTreeMap<String, String>,
    /// True if `DryRun` was true.
    pub dry_run: bool,
    /// Source address of the connection.
    pub peer: SocketAddr,
    /// The calling instance: the one of the session credentials, or else the one with the peer's address, or else the one
    /// whose metadata is served.
    pub instance: Option<InstanceId>,
    /// HTTP status on the wire, 0 if there is none.
    pub status: u16,
    /// AWS error code, if the response was an error.
    pub code: Option<String>,
    /// The request id in header and document.
    pub request_id: String,
    /// Name of the fault that struck, see [`FaultKind::name`](crate::FaultKind::name).
    pub fault: Option<String>,
    /// For `AssociateAddress` the association it made, for `DisassociateAddress` the one it ended; even if the
    /// response was lost.
    pub association_id: Option<AssociationId>,
}

impl LoggedRequest {
    /// True if this is the EC2 or STS action `name`, and not a dry run.
    pub fn is(&self, name: &str) -> bool {
        self.operation == name && !self.dry_run
    }
}

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

    /// A request by its number, if it is still in the log.
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
