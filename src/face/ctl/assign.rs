//! `eipctl assign ADDRESS INSTANCE`: gives a secondary private address to any instance of the account, from anywhere.
//!
//! The order of the arguments is that of the old `assign_private_ip.sh ADDRESS INSTANCE`, and a link of that name to the binary
//! takes the script's place.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::time::Duration;

use clap::ArgMatches;
use tokio::time::Instant;

use super::call::Failure;
use super::command::{command, of_assign};
use super::options::TIMEOUT;
use super::serve::{conclude, not_a_command};
use crate::deadline::Deadline;
use crate::face::last_resort::{Watchdog, report_panics};
use crate::face::{Call, session};
use crate::ids::InstanceId;
use crate::ocf::environment::Environment;
use crate::ocf::log::Log;
use crate::params::VipParams;
use crate::resource::vip::{Assigned, Order, assign};

/// The script whose place the binary takes, by its name.
const SCRIPTS: [&str; 2] = ["assign_private_ip.sh", "assign_private_ip"];

/// Returns whether this call is for this command.
pub(in crate::face) fn is_asked(name: &str, arguments: &[OsString]) -> bool {
    let by_command =
        name == super::NAME && arguments.get(1).is_some_and(|argument| argument == OsStr::new("assign"));
    by_command || SCRIPTS.contains(&name)
}

/// Serves the call and returns the exit code of the process: 0 done, 1 failed, 2 wrong usage.
pub(in crate::face) fn serve(name: &str, call: Call) -> u8 {
    let as_script = SCRIPTS.contains(&name);
    let parsed = if as_script {
        of_assign().bin_name(name.to_owned()).try_get_matches_from(&call.arguments)
    } else {
        command().try_get_matches_from(&call.arguments)
    };
    let matches = match parsed {
        Ok(matches) => matches,
        Err(error) => return not_a_command(name, &error),
    };
    let matches = matches.subcommand().map_or(&matches, |(_, matches)| matches);
    let (params, instance) = match asked(matches) {
        Ok(asked) => asked,
        Err(text) => return conclude(name, Err(Failure::Usage(text))),
    };
    let seconds = matches.get_one::<u64>(TIMEOUT).copied().unwrap_or(60);
    // What a cluster has said about another action must not count for this one.
    let kept = |(variable, _): &(OsString, OsString)| !variable.to_string_lossy().starts_with("OCF_RESKEY_");
    let environment = Environment::new(call.variables.into_iter().filter(kept));
    let log = Log::new(&environment, "assign", call.started);
    report_panics(&log, 1);
    let deadline = Deadline::new(Instant::from_std(call.started), Duration::from_secs(seconds));
    let guard = Watchdog::start(&deadline, 1, &log);
    let code = run(name, &params, instance, &deadline, &environment, &log);
    guard.end();
    code
}

/// Returns what the arguments ask for, checked as the agent's parameters are.
fn asked(matches: &ArgMatches) -> Result<(VipParams, InstanceId), String> {
    let text = |id: &str| matches.try_get_one::<String>(id).ok().flatten().cloned();
    let options = crate::params::table::VIP.iter().map(|spec| spec.name);
    let mut raw: BTreeMap<String, String> =
        options.filter_map(|id| text(id).map(|value| (id.to_owned(), value))).collect();
    raw.insert("secondary_private_ip".to_owned(), text("address").unwrap_or_default());
    let params = VipParams::parse(&raw)
        .map_err(|error| error.to_string().replace("secondary_private_ip", "ADDRESS"))?;
    let instance = text("instance").unwrap_or_default();
    match InstanceId::parse(&instance) {
        Ok(instance) => Ok((params, instance)),
        Err(error) => Err(format!("INSTANCE={instance}: expected {}", error.expected())),
    }
}

fn run(
    name: &str,
    params: &VipParams,
    instance: InstanceId,
    deadline: &Deadline,
    environment: &Environment,
    log: &Log,
) -> u8 {
    let order = Order {
        address: params.address,
        instance,
        interface: params.interface.clone(),
        reassign: params.allow_reassignment,
        max_backoff: params.timing.max_backoff,
    };
    let outcome = session::world(&params.api, &params.timing, *deadline, environment, log).and_then(
        |(world, warnings)| {
            for warning in &warnings {
                log.warn(warning);
            }
            session::run(*deadline, assign(&world, &order, deadline))
        },
    );
    let address = order.address;
    let text = match outcome {
        Ok(Assigned::Already(eni)) => format!("{address} is on {eni} already\n"),
        Ok(Assigned::Now { to, from }) => {
            let travels = to.address(address).and_then(|address| address.public_ip);
            let travels = travels.map(|ip| format!("Elastic IP {ip} travels with it\n")).unwrap_or_default();
            let from = from.map(|eni| format!(", from {eni}")).unwrap_or_default();
            format!("{address} assigned to {to}{from}\n{travels}")
        }
        Err(error) => return conclude(name, Err(Failure::Failed(session::in_full(&error)))),
    };
    u8::from(std::io::stdout().write_all(text.as_bytes()).is_err())
}
