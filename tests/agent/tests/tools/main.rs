//! The field's own tools on the built agent: `ocf-tester`, the schemas, `crm_resource`, pcs and crmsh, all unmodified.
//!
//! Each test that lets a tool run the agent does so in a [`node::PacemakerNode`]: namespaces with the agent installed, a metadata
//! service at its usual address and EC2 at its usual name. Nothing of the machine is written to, and nothing of a test
//! is left behind. A cluster of several nodes is not here; `tests/cluster` has it.
//!
//! Root and the tools are needed. What is missing makes its tests fail, with the name of the package.

// Not only the functions marked `#[test]` are test code here: in all of it a panic is how a test fails.
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
