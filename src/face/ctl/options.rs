//! Options shared by several commands. Those that are agent parameters are generated from the agent's table.

use clap::{Arg, ArgAction, value_parser};

use crate::ocf::agent::{self, Agent};
use crate::params::table::find;

/// Parameters for reaching AWS; every command that calls AWS accepts them.
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
/// Parameters for the target of the address on this node, and the role that may set it. Each kind has some of them.
const TARGET: [&str; 6] =
    ["interface", "private_ip_address", "device", "add_to_device", "iflabel", "routing_table_role"];

/// Id of the flag for a secondary private address.
pub(super) const VIP: &str = "vip";
/// Id of the option for an overlay address, with its route tables.
pub(super) const ROUTE_TABLE: &str = "route-table";
/// Id of the option for the role that changes the route tables, for a command that takes no parameters of an address.
pub(super) const TABLES_ROLE: &str = "routing-table-role";
/// Id of the flag for the policy of that role.
pub(super) const FOR_TABLES_ROLE: &str = "for-routing-table-role";

/// Id of the argument that names the address.
pub(super) const ADDRESS: &str = "ADDRESS";
/// Id of the time limit option.
pub(super) const TIMEOUT: &str = "timeout";
/// Id of the option for machine-readable output.
pub(super) const JSON: &str = "json";

/// The option for an agent parameter: `role_arn` becomes `--role-arn`; its id is the parameter's name. If several kinds have one, the
/// first description counts.
pub(super) fn parameter(name: &str) -> Arg {
    let of = |agent: &'static Agent| Some((agent, find(agent.parameters, name)?));
    let Some((agent, spec)) = agent::ALL.into_iter().find_map(of) else {
        // A typo in this module: the command's `debug_assert` reports it, because the option has no name.
        return Arg::new("unknown").long("");
    };
    let default = spec.default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
    let value = match spec.name {
        "interface" => "INTERFACE",
        "private_ip_address" => "ADDRESS",
        "role_arn" | "routing_table_role" => "ARN",
        "device" => "DEVICE",
        "iflabel" => "LABEL",
        "endpoint_url" | "imds_endpoint" => "URL",
        "ca_bundle" => "FILE",
        "connect_timeout" | "attempt_timeout" | "settle_window" | "max_backoff" => "SECONDS",
        "allow_reassociation" | "allow_reassignment" | "restore_displaced" | "add_to_device" => "true|false",
        "auth_type" => "key|role",
        _ => "NAME",
    };
    // clap requires names that live as long as the process.
    let long: &'static str = spec.name.replace('_', "-").leak();
    Arg::new(spec.name)
        .long(long)
        .value_name(value)
        .help(format!("{}{default}", spec.short))
        .long_help(agent.describes(spec) + &default)
}

/// The options for reaching AWS, and the time limit.
pub(super) fn aws(limit: &'static str) -> impl Iterator<Item = Arg> {
    let of_parameter = |name| parameter(name).help_heading("AWS access (defaults as for the agent)");
    AWS.into_iter().map(of_parameter).chain([timeout(limit)])
}

/// The argument for an address of this node, and the options for its kind, interface and private address.
pub(super) fn subject() -> impl Iterator<Item = Arg> {
    let target = TARGET.into_iter().map(|name| parameter(name).help_heading("Target on this node"));
    [address()].into_iter().chain(kinds()).chain(target)
}

/// The options that give the kind of an address that neither the cluster nor this node's records know.
fn kinds() -> [Arg; 2] {
    [
        switch(VIP, "The address is a secondary private one (agent ocf:heartbeat:vip)")
            .conflicts_with(ROUTE_TABLE),
        repeated(
            ROUTE_TABLE,
            "ID",
            "The address is an overlay address (agent ocf:heartbeat:overlay-ip) with this route table: rtb-..., \
             tag:KEY=VALUE or auto; can be repeated",
        ),
    ]
    .map(|option| option.help_heading("Kind of address (default: as configured in the cluster or on record)"))
}

/// The argument for the address, of any kind.
pub(super) fn address() -> Arg {
    positional(
        ADDRESS,
        ADDRESS,
        "The address: an Elastic IP (203.0.113.10), its allocation id (eipalloc-...), a secondary private or an \
         overlay address [default: that of the cluster, if it has only one]",
    )
}

/// The time limit option, in seconds.
pub(super) fn timeout(default: &'static str) -> Arg {
    option(TIMEOUT, "SECONDS", "Time limit for all attempts together")
        .default_value(default)
        .value_parser(value_parser!(u64).range(1..=3600))
}

/// The option for machine-readable output.
pub(super) fn json() -> Arg {
    switch(JSON, "Print JSON, for programs")
}

/// An argument without a name.
pub(super) fn positional(id: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(id).value_name(value).help(help)
}

/// An option without a value.
pub(super) fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// An option with a value.
pub(super) fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    positional(name, value, help).long(name)
}

/// An option that may be given several times.
pub(super) fn repeated(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    option(name, value, help).action(ArgAction::Append)
}
