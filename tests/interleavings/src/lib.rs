//! The decisions of several nodes, run concurrently against one account, on a clock that only advances when all of them wait.
//!
//! A [`plan`] has the requests for each node and what goes wrong meanwhile; [`run`](run::run) runs it with a kind of address and
//! returns every violation of a rule that must hold in any order of events. The same plan gives the same run: times, losses and
//! pauses derive from its seed. EC2 and instance metadata are the crate's own model, whose reads lag; [`node`] is a node with its
//! records and its kills, [`told`] has the responses that an action got, [`rules`] are the rules, [`kinds`] has what differs by
//! kind.
//!
//! No network, SDK, Pacemaker or file system: other tests have the real ones.

pub mod kinds;
pub mod names;
pub mod node;
pub mod plan;
pub mod rules;
pub mod run;
pub mod told;
