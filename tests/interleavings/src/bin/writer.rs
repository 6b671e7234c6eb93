//! Writes a node's record three times, each longer than the one before, for a test that kills it at each system call.
//! The state folder is taken from `EIP_STATE_DIR`, as the agent does.

use eip::base::log::Log;
use eip::ocf::environment::Environment;
use eip::state::{Change, FileRecords, Records as _};

fn main() {
    let environment = Environment::new(std::env::vars_os());
    let records = FileRecords::new(&environment, &Log::memory());
    for version in 1..=3 {
        let change = Change { took_ms: version, ..Change::default() };
        records.update_durable(|record| record.remember(change));
    }
}
