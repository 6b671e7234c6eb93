//! The decisions of several nodes, run against one account at once, on a clock that only moves when everybody waits.
//!
//! A [`plan`] says what each node is asked to do and what goes wrong meanwhile; [`run`](run::run) plays it and returns every
//! breach of a rule that must hold in any order of events. The same plan gives the same run: times, losses and pauses are drawn
//! from its seed. From the bottom up: [`cloud`] is EC2 as it is, [`view`] is what one node gets to see of it through calls that
//! are slow, stale, lost or cut off, [`node`] is a node with its records and its kills, [`rules`] are the rules.
//!
//! Nothing of the network, the SDK, Pacemaker or the file system is in here: other tests have the real ones.

pub mod cloud;
pub mod node;
pub mod plan;
pub mod rules;
pub mod run;
pub mod view;
