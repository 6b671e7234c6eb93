//! The built agent against the simulator, row by row of its behaviour: exit code, output, log, requests, holder.
//!
//! One module per subject, all in this binary. The agent's own crate tests the decisions by themselves, against the model and with a
//! clock that can be paused; here is what only a whole process shows.

// Not only functions marked `#[test]` are test code here: everywhere a panic is how a test fails.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod bad_input;
mod credentials;
mod ctl;
mod ctl_by_hand;
mod ctl_check;
mod ctl_drill;
mod ctl_history;
mod ctl_kinds;
mod ctl_policy;
mod ctl_restore;
mod ctl_show;
mod ctl_status;
mod deadlines;
mod exit_codes;
mod health;
mod init;
mod keepalived_calls;
mod keepalived_check;
mod keepalived_states;
mod keepalived_world;
mod logging;
mod meta_data;
mod overlay;
mod parameters;
mod profiles;
mod proxies;
mod requests;
mod secrets;
mod state_files;
mod tls;
mod trace;
mod trouble;
mod usage;
mod validate;
mod vip_assign;
mod vip_device;
mod vip_world;
