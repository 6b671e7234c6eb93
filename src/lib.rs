//! `eip`: an OCF resource agent that keeps an AWS Elastic IP on the healthy node of a Pacemaker cluster.
//!
//! A call comes in through a [`face`], which turns it into a request with [`params`] and a [`deadline`]. The [`resource`]
//! decides, asking the [`cloud`] (EC2 and the instance metadata service), the [`host`] and the [`state`] of this node through
//! traits; the face turns what came of it into an exit code and one line for the operator by way of [`error`] and [`ocf`].
//!
//! Direction of knowledge: `face` knows `resource`, `resource` knows the traits of `cloud`, `cloud` knows nobody above it.

pub mod cidr;
pub mod cloud;
pub mod deadline;
pub mod error;
pub mod face;
pub mod host;
pub mod ids;
pub mod network;
pub mod ocf;
pub mod params;
pub mod resource;
pub mod retry;
mod small_file;
pub mod state;
