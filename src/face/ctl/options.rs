//! Options that several commands share. Those that are parameters of the agent come from the agent's own table.

use std::sync::LazyLock;

use clap::{Arg, ArgAction, value_parser};

use crate::params::table::{self, Spec};

/// Parameters that say how AWS is reached, by which every command that talks to AWS can be told so.
const AWS: [&str; 9] = [
    "region",
    "profile",
    "role_arn",
    "endpoint_url",
    "imds_endpoint",
    "ca_bundle",
    "auth_type",
    "connect_timeout",
    "attempt_timeout",
];
/// Parameters that say where on this node the address belongs.
const PLACE: [&str; 2] = ["interface", "private_ip_address"];

/// Who is asked for the address.
pub(super) const ADDRESS: &str = "address";
/// The option that every command with a time limit has.
pub(super) const TIMEOUT: &str = "timeout";
/// The option for output that programs read.
pub(super) const JSON: &str = "json";

/// A parameter of the agent as an option: clap keeps names for as long as the process lives.
struct Named {
    spec: &'static Spec,
    long: String,
    help: String,
    long_help: String,
}

/// All parameters of the agent, as options: `role_arn` as `--role-arn`.
static OPTIONS: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let option = |spec: &'static Spec| {
        let default = spec.default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
        Named {
            spec,
            long: spec.name.replace('_', "-"),
            help: format!("{}{default}", spec.short),
            long_help: format!("{}{default}", spec.long),
        }
    };
    table::EIP.iter().map(option).collect()
});

/// Returns the option for a parameter; its id is the parameter's name.
pub(super) fn parameter(name: &str) -> Arg {
    let found = OPTIONS.iter().find(|option| option.spec.name == name);
    let Some(Named { spec, long, help, long_help }) = found else {
        // A slip in this module: `debug_assert` of the command finds it, because the option then has no name.
        return Arg::new("unknown").long("");
    };
    let value = match spec.name {
        "interface" => "INTERFACE",
        "private_ip_address" => "ADDRESS",
        "role_arn" => "ARN",
        "endpoint_url" | "imds_endpoint" => "URL",
        "ca_bundle" => "FILE",
        "connect_timeout" | "attempt_timeout" | "settle_window" | "max_backoff" => "SECONDS",
        "allow_reassociation" | "restore_displaced" => "true|false",
        "auth_type" => "key|role",
        _ => "NAME",
    };
    Arg::new(spec.name)
        .long(long.as_str())
        .value_name(value)
        .help(help.as_str())
        .long_help(long_help.as_str())
        .action(ArgAction::Set)
}

/// Returns the options that say how AWS is reached.
pub(super) fn aws() -> impl Iterator<Item = Arg> {
    AWS.into_iter().map(|name| parameter(name).help_heading("How to reach AWS (defaults as for the agent)"))
}

/// Returns the options that say where on this node the address belongs.
pub(super) fn place() -> impl Iterator<Item = Arg> {
    PLACE.into_iter().map(|name| parameter(name).help_heading("Where on this node"))
}

/// Returns the argument that names the address.
pub(super) fn address() -> Arg {
    Arg::new(ADDRESS)
        .value_name("ADDRESS")
        .required(true)
        .help("The Elastic IP (203.0.113.10) or its allocation id (eipalloc-...)")
}

/// Returns the option for a time limit.
pub(super) fn timeout(default: &'static str) -> Arg {
    Arg::new(TIMEOUT)
        .long("timeout")
        .value_name("SECONDS")
        .default_value(default)
        .value_parser(value_parser!(u64).range(1..=3600))
        .help("How long to try at most")
}

/// Returns the option for output that programs read.
pub(super) fn json() -> Arg {
    switch(JSON, "json", "Print JSON, for programs")
}

/// Returns an option without a value.
pub(super) fn switch(id: &'static str, long: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(long).action(ArgAction::SetTrue).help(help)
}
