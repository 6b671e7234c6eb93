//! Invalid parameters, as the one line that an operator reads in `pcs status`.

use std::borrow::Cow;

use crate::base::text::{brief, without_user_info};

/// A parameter that is missing, malformed, or contradicts another.
///
/// Every message is one line of ASCII within 128 bytes, Pacemaker's limit for an exit reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// Neither `elastic_ip` nor `allocation_id` is set.
    #[error("elastic_ip is not set: expected an address in elastic_ip or an id in allocation_id")]
    NoAddress,
    /// `secondary_private_ip` is not set.
    #[error("secondary_private_ip is not set: expected an address of the nodes' subnet, such as 10.0.0.12")]
    NoPrivateAddress,
    /// Neither `overlay_ip` nor another name of it is set.
    #[error("overlay_ip is not set: expected an address outside the VPC's ranges, such as 192.168.10.1")]
    NoOverlayAddress,
    /// `routing_table` is not set.
    #[error("routing_table is not set: expected ids of route tables, tag:KEY=VALUE or auto")]
    NoRoutingTable,
    /// A value is malformed.
    #[error("{name}={value}: expected {expected}")]
    Invalid {
        /// Name of the parameter.
        name: &'static str,
        /// The rejected value, shortened.
        value: String,
        /// A description of valid values.
        expected: Cow<'static, str>,
    },
    /// Contradictory: neither stop nor start would ever let the address move.
    #[error("on_stop=leave: expected another value with {0}=false, or it could never move")]
    NeverMoves(&'static str),
    /// The per-node list of private addresses has no entry for the requested node. Only that node is affected.
    #[error("private_ip_address has no entry for node {node}: expected NODE=ADDRESS in the list")]
    NodeNotListed {
        /// Node name in the cluster.
        node: String,
    },
    /// Several entries of the per-node list match the requested node. Only that node is affected.
    #[error("private_ip_address has several entries for node {node}: expected one with its full name")]
    NodeAmbiguous {
        /// Node name in the cluster.
        node: String,
    },
    /// The list of private addresses is per node, but the cluster did not pass the node's name.
    #[error("private_ip_address is a list by node, but the name of this node is not known")]
    NodeUnknown,
}

impl ParamError {
    /// A value that does not have the form that its parameter requires.
    pub(super) fn invalid(name: &'static str, value: &str, expected: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { name, value: shown(value), expected: expected.into() }
    }
}

/// With this limit the longest name and the longest expectation still fit in 128 bytes.
const LIMIT: usize = 32;

/// A value in a form that is safe to print: one line of ASCII, at most 32 bytes, without a URL's user name and password.
pub fn shown(value: &str) -> String {
    brief(&without_user_info(value), LIMIT)
}
