//! This node's Pacemaker cluster: its command-line tools, and what they answer.
//!
//! Every answer is read as a tree, in the forms of Pacemaker 1.1 to 3.0.

pub mod attributes;
pub mod cib;
pub mod complaint;
pub mod node_state;
pub mod operations;
pub mod settings;
pub mod status;
#[cfg(feature = "sdk")]
pub(in crate::face) mod tools;
pub mod xml;
