//! `eip`: an OCF resource agent that keeps an AWS Elastic IP on the healthy node of a Pacemaker cluster.
//!
//! A call comes in through a [`face`], which turns it into a request with [`params`] and a deadline. The [`resource`] decides,
//! querying the [`cloud`] (EC2 and instance metadata), the [`host`], its [`network`] and the [`state`] of this node through
//! traits; the face turns the result into an exit code and one line for the operator by way of [`ocf`].
//!
//! A floor uses only floors below it: face, world, resource, cloud, state, network, host, ocf, params, [`base`].
//! `tests/check/floors` enforces that.

pub mod base;
pub mod cloud;
pub mod face;
pub mod host;
pub mod network;
pub mod ocf;
pub mod params;
pub mod resource;
pub mod state;
#[cfg(feature = "sdk")]
mod world;
