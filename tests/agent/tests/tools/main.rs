//! The field's own tools on the built agent: `ocf-tester`, the schemas, `crm_resource`, pcs and crmsh, all unmodified.
//!
//! Each test in which a tool runs the agent uses a [`node::PacemakerNode`]: namespaces with the agent installed, a metadata service at
//! its usual address and EC2 at its usual name. Nothing is written to the machine, and nothing of a test is left behind. Clusters of
//! several nodes are in `tests/cluster`.
//!
//! Root and the tools are required. If one is missing, its tests fail, with the name of the package.

// Not only functions marked `#[test]` are test code here: everywhere a panic is how a test fails.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod agent;
mod by_hand;
mod cib;
mod crm_resource;
mod crmsh;
mod discovery;
mod documents;
mod drop_in;
mod meta_data;
mod node;
mod ocf_tester;
mod ocft;
mod pcs;
mod private_address;
mod program;
mod xml;
