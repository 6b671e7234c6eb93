//! The decisions of several nodes, run against one account at once, on a clock that only moves when everybody waits.
//!
//! A [`plan`] says what each node is asked to do and what goes wrong meanwhile; [`run`](run::run) plays it with a kind of address
//! and returns every breach of a rule that must hold in any order of events. The same plan gives the same run: times, losses and
//! pauses are drawn from its seed. EC2 and instance metadata are the crate's own model, whose reads lag; [`node`] is a node with
//! its records and its kills, [`told`] what an action was told, [`rules`] are the rules, [`kinds`] what differs by kind.
//!
//! Nothing of the network, the SDK, Pacemaker or the file system is in here: other tests have the real ones.

pub mod kinds;
pub mod names;
pub mod node;
pub mod plan;
pub mod rules;
pub mod run;
pub mod told;
