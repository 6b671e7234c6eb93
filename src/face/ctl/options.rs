//! Options shared by several commands. Those that are agent parameters are generated from the agent's table.

use std::sync::LazyLock;

use clap::{Arg, ArgAction, value_parser};

use crate::ocf::agent::{self, Agent};
use crate::params::table::Spec;

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
/// Id of the option for the role of an overlay address's route tables, where it is no parameter of the one address.
pub(super) const TABLES_ROLE: &str = "routing-table-role";
/// Id of the flag for the policy of that role.
pub(super) const FOR_TABLES_ROLE: &str = "for-routing-table-role";

/// Id of the argument that names the address.
pub(super) const ADDRESS: &str = "ADDRESS";
/// Id of the time limit option.
pub(super) const TIMEOUT: &str = "timeout";
/// Id of the option for machine-readable output.
pub(super) const JSON: &str = "json";

/// An agent parameter as an option, with names that live as long as the process, as clap requires.
struct Named {
    spec: &'static Spec,
    long: String,
    help: String,
    long_help: String,
}

/// All agent parameters as options, of every kind: `role_arn` becomes `--role-arn`. If several kinds have one, the first
/// description counts.
static OPTIONS: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let option = |agent: &Agent, spec: &'static Spec| {
        let default = spec.default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
        Named {
            spec,
            long: spec.name.replace('_', "-"),
            help: format!("{}{default}", spec.short),
            long_help: agent.describes(spec) + &default,
        }
    };
    let options = |agent: &'static Agent| agent.parameters.iter().map(move |spec| option(agent, spec));
    agent::ALL.into_iter().flat_map(options).collect()
});

/// The option for an agent parameter; its id is the parameter's name.
pub(super) fn parameter(name: &str) -> Arg {
    let found = OPTIONS.iter().find(|option| option.spec.name == name);
    let Some(Named { spec, long, help, long_help }) = found else {
        // A typo in this module: the command's `debug_assert` reports it, because the option has no name.
        return Arg::new("unknown").long("");
    };
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
    Arg::new(spec.name)
        .long(long.as_str())
        .value_name(value)
        .help(help.as_str())
        .long_help(long_help.as_str())
        .action(ArgAction::Set)
}

/// The options for reaching AWS.
pub(super) fn aws() -> impl Iterator<Item = Arg> {
    AWS.into_iter().map(|name| parameter(name).help_heading("AWS access (defaults as for the agent)"))
}

/// The options that select interface and private address.
pub(super) fn target() -> impl Iterator<Item = Arg> {
    TARGET.into_iter().map(|name| parameter(name).help_heading("Target on this node"))
}

/// The options that give the kind of an address that neither the cluster nor this node's records know.
pub(super) fn kinds() -> [Arg; 2] {
    [
        switch(VIP, "The address is a secondary private one (agent ocf:heartbeat:vip)")
            .conflicts_with(ROUTE_TABLE),
        option(
            ROUTE_TABLE,
            "ID",
            "The address is an overlay address (agent ocf:heartbeat:overlay-ip) with this route table: rtb-..., \
             tag:KEY=VALUE or auto; can be repeated",
        )
        .action(ArgAction::Append),
    ]
    .map(|option| option.help_heading("Kind of address (default: as configured in the cluster or on record)"))
}

/// The argument for the address, of any kind.
pub(super) fn address() -> Arg {
    Arg::new(ADDRESS).value_name("ADDRESS").help(
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

/// A flag.
pub(super) fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// An option with a value.
pub(super) fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}
