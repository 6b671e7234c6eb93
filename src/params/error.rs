//! What can be wrong with the parameters, as the one line an operator reads in `pcs status`.

use std::fmt;

use crate::base::text::{cut, one_line, without_user_info};

/// Is one parameter that is missing, malformed, or contradicts another.
///
/// Every message is one line of ASCII within 128 bytes, which is what Pacemaker keeps of an exit reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// Nothing says which address the resource is.
    #[error("elastic_ip is not set: expected an address in elastic_ip or an id in allocation_id")]
    NoAddress,
    /// Nothing says which private address the resource is.
    #[error("secondary_private_ip is not set: expected an address of the nodes' subnet, such as 10.0.0.12")]
    NoPrivateAddress,
    /// A value does not have the form of its parameter.
    #[error("{name}={value}: expected {expected}")]
    Invalid {
        /// The parameter.
        name: &'static str,
        /// What it was set to.
        value: Shown,
        /// What would have been right.
        expected: &'static str,
    },
    /// A number of seconds is not one, or not within sensible bounds.
    #[error("{name}={value}: expected a whole number of seconds from {least} to {most}")]
    Seconds {
        /// The parameter.
        name: &'static str,
        /// What it was set to.
        value: Shown,
        /// The smallest value taken.
        least: u64,
        /// The largest value taken.
        most: u64,
    },
    /// Neither a stop nor a start would ever let the address change its node.
    #[error("on_stop=leave: expected another value with {0}=false, or it could never move")]
    NeverMoves(&'static str),
    /// The per-node list of private addresses says nothing about the node asked for. Only that node is affected.
    #[error("private_ip_address has no entry for node {node}: expected NODE=ADDRESS in the list")]
    NodeNotListed {
        /// The node as the cluster calls it.
        node: Shown,
    },
    /// Several entries of the per-node list fit the node asked for. Only that node is affected.
    #[error("private_ip_address has several entries for node {node}: expected one with its full name")]
    NodeAmbiguous {
        /// The node as the cluster calls it.
        node: Shown,
    },
    /// The list of private addresses is per node, and the cluster did not say which node this is.
    #[error("private_ip_address is a list by node, but the name of this node is not known")]
    NodeUnknown,
}

impl ParamError {
    /// Says that a value lacks the form that its parameter asks for.
    pub(super) fn invalid(name: &'static str, value: &str, expected: &'static str) -> Self {
        Self::Invalid { name, value: Shown::new(value), expected }
    }
}

/// A value as a message may show it: one line of ASCII, at most 32 bytes, without a URL's user name and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// The longest that is shown: beside it the longest name and the longest expectation fit in 128 bytes.
    const LIMIT: usize = 32;

    /// Takes what of `value` may be shown.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self(cut(&one_line(&without_user_info(value)), Self::LIMIT))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
