//! Entry point: selects the face by the name of the binary.

use super::call::Call;
use super::{alert, ctl, init, keepalived, ocf, program_name};

/// Serves the call and returns the exit code of the process.
pub fn serve(mut call: Call) -> u8 {
    match program_name::take(&mut call.arguments).as_str() {
        name if name == ctl::NAME || ctl::assign::is_script(name) => ctl::serve(name, call),
        alert::NAME => alert::serve(&call),
        name if init::is_name(name) => init::serve(call),
        name if keepalived::is_name(name) => keepalived::serve(&call),
        name => ocf::serve(name, call),
    }
}
