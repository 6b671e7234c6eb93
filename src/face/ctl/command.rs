//! The command line of `eipctl` and its help text, from which the manual page and the completion are generated.

use clap::{Arg, Command, value_parser};

use super::options::{
    ADDRESS, FOR_TABLES_ROLE, JSON, ROUTE_TABLE, TABLES_ROLE, TIMEOUT, VIP, address, aws, json, option,
    parameter, positional, repeated, subject, switch, timeout,
};
use crate::resource::policy::partitions;

/// The complete command line.
///
/// The help has to be complete: `eipctl help COMMAND` is the only documentation at hand when an address has to be
/// moved in a hurry.
pub fn command() -> Command {
    Command::new(super::NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about("Manages AWS addresses that a cluster keeps on its healthy node")
        .long_about(
            "Manages AWS addresses that a cluster keeps on its healthy node: Elastic IPs, secondary private \
             addresses and overlay addresses.\n\n\
             It is the cluster's resource agents eip, vip and overlay-ip under another name, so its findings \
             and actions are those of the agents on this node: with the same credentials, the same metadata \
             service and the same records.\n\n\
             The kind of an address and its parameters come from the cluster's configuration (while Pacemaker is down \
             on this node, from the one that it saved) or from this node's records; options override the parameters. A public address that neither knows is an Elastic IP; for \
             any other, --vip or --route-table gives the kind.\n\n\
             The records of this node belong to root: claim, release, restore, drill, history and metrics need \
             them, so run these as root.",
        )
        .after_long_help(
            "Exit codes: 0 done, 1 failed, 2 wrong usage. Each failure is one line on standard error.\n\n\
             Credentials and region are found as the agent finds them. The variables of the AWS tools \
             (AWS_REGION, AWS_PROFILE, AWS_CA_BUNDLE, HTTPS_PROXY and others) are honoured. No secret is \
             ever printed.",
        )
        .subcommand_required(true)
        .disable_colored_help(true)
        .subcommands([
            status(),
            show(),
            check(),
            claim(),
            release(),
            policy(),
            history(),
            metrics(),
            restore(),
            drill(),
            of_assign(),
        ])
}

fn status() -> Command {
    Command::new("status")
        .about("Show every address of the cluster on one screen")
        .long_about(
            "Shows every address of the cluster, of every kind: where it is according to the cluster, EC2 and \
             each node, since when, the last move that this node made and how long it took, and which nodes \
             could take it, or why not. Contradictions between sources are lines that begin with DISAGREE. \
             Changes nothing.\n\n\
             This node is queried now: its instance metadata, and for a private or overlay address its network \
             devices. The other nodes are shown as their ocf:heartbeat:eip-health last reported, with the age of \
             the report, or as (not reported). One EC2 query covers all addresses of a kind that use the same \
             API and credentials.\n\n\
             Works on every node. A source that does not answer (the cluster, EC2 or instance metadata) is a \
             line that begins with NOT SEEN, and everything else is shown. While Pacemaker is down on this node, the \
             addresses are those of the configuration that it saved, or of this node's records.\n\n\
             Exit code 0: something was shown, with or without disagreements; 1: there is no address to show.",
        )
        .arg(
            option("watch", "SECONDS", "Refresh at this interval [default: 2]")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("2")
                .value_parser(value_parser!(u64).range(1..=3600))
                .conflicts_with(JSON),
        )
        .args(aws("20"))
        .arg(json())
}

fn show() -> Command {
    Command::new("show")
        .about("Show who holds an address")
        .long_about(
            "Shows who holds an address according to EC2 and according to the metadata service of this node, \
             and what this node has on record about it. For a private or overlay address it also shows the \
             network device, and for an overlay address each route table: where it leads, and whether its target \
             takes traffic. Changes nothing. Works on any machine that may call EC2; for a secondary private \
             address, only in its subnet.\n\n\
             Exit code 0: EC2 has answered, regardless of the holder.",
        )
        .args(subject())
        .args(aws("20"))
        .arg(json())
}

fn check() -> Command {
    Command::new("check")
        .about("Check whether this node could take over an address")
        .long_about(
            "Checks whether this node could take over and release an address at this moment: parameters, \
             metadata service, interface and private address, credentials, permissions (with EC2's dry \
             runs), the address itself, the clock, the route to the EC2 API, the directories for records, \
             live moves; for an overlay address, each route table and the source/destination check. Changes \
             nothing.\n\n\
             Each check is one line: ok, warn (works now, but consider it) or FAIL, with the remedy. A check \
             that depends on one that failed is a line that begins with a dash. Run it on every node before \
             the resource is created, and after changes of roles, routes or proxies.\n\n\
             Exit code 0: nothing failed; 1: something did.",
        )
        .args(subject())
        .args(aws("30"))
        .arg(json())
}

fn claim() -> Command {
    Command::new("claim")
        .about("Move an address to this node by hand")
        .long_about(
            "Moves an address to this node by hand, as the agent's start does: the current holder loses it, \
             EC2 is queried until it shows the address here, and an Elastic IP that is displaced is \
             recorded. The cluster's next start on this node takes that record over, and its stop restores \
             what was displaced.\n\n\
             For clusters that are down, and for machines without a cluster. Refused if the cluster's \
             configuration has a resource with this address, wherever that runs, or if the configuration \
             cannot be read and this node has a record of such a resource; use pcs or crm_resource then, or \
             --force.",
        )
        .args(subject())
        .arg(parameter("allow_reassociation"))
        .arg(parameter("allow_reassignment"))
        .arg(parameter("restore_displaced"))
        .arg(dry_run())
        .arg(force())
        .args(aws("60"))
}

fn release() -> Command {
    Command::new("release")
        .about("Release an address of this node by hand")
        .long_about(
            "Releases an address that this node holds, as the agent's stop does: ends exactly the \
             association that EC2 shows here, so that a newer one of another node is not touched. Displaced \
             Elastic IPs are restored. An overlay address is only removed from the network device; its routes \
             stay until another node replaces them.\n\n\
             If another node holds the address, or it is unassigned, nothing is done and the exit code is \
             0. Refused if the cluster runs a resource with this address on this node; use pcs or \
             crm_resource then.",
        )
        .args(subject())
        .arg(parameter("restore_displaced"))
        .arg(dry_run())
        .arg(force())
        .args(aws("60"))
}

fn policy() -> Command {
    Command::new("policy")
        .about("Print the minimal IAM policy for an address")
        .long_about(
            "Prints the IAM policy for the role of the nodes, limited to one address and to the calls that its \
             agent makes: to query its holder, take it and release it. --vip and --route-table add what \
             the other agents need; with one of them and no address, the policy is for these alone.\n\n\
             If calls about route tables are made with a role of its own (routing_table_role, for a VPC that another \
             account shares), two policies are needed: this one, and that of the role.\n\n\
             What is not given on the command line is looked up: region and account in instance metadata, \
             the allocation id in EC2. With an allocation id, --region and --account nothing is queried, so \
             it works anywhere.",
        )
        .arg(address())
        .arg(repeated(
            "also",
            "ALLOCATION",
            "Another allocation id to allow, such as that of an Elastic IP that is displaced; can be repeated",
        ))
        .arg(repeated(
            "tag",
            "KEY=VALUE",
            "Allow only instances and interfaces that have this tag; can be repeated, for other keys",
        ))
        .arg(option("account", "ID", "The account, twelve digits"))
        .arg(
            option("partition", "NAME", "")
                .help(format!("{} [default: that of the region]", partition_names())),
        )
        .arg(switch(
            VIP,
            "Also allow what the agent ocf:heartbeat:vip needs: secondary private addresses of interfaces",
        ))
        .arg(repeated(
            ROUTE_TABLE,
            "ID",
            "Also allow what the agent ocf:heartbeat:overlay-ip needs, for this route table or * for all; can be \
             repeated",
        ))
        .arg(option(
            TABLES_ROLE,
            "ARN",
            "The role that is assumed for calls about route tables [default: routing_table_role of the address]",
        ))
        .arg(switch(FOR_TABLES_ROLE, "Print the policy of that role, not that of the role of the nodes"))
        .arg(switch("explain", "Explain each statement instead of printing the policy"))
        .args(aws("20"))
}

/// The partitions to choose from, for a person.
pub(super) fn partition_names() -> String {
    let names: Vec<&str> = partitions().collect();
    match names.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn history() -> Command {
    Command::new("history")
        .about("List the changes of holder that this node made")
        .long_about(
            "Lists the changes of holder that this node made, the oldest first, in local time. Each node \
             keeps the last hundred for each resource, across boots. Queries nothing.",
        )
        .arg(option("resource", "NAME", "Only those of this resource, by its name in the cluster"))
        .arg(json())
}

fn metrics() -> Command {
    Command::new("metrics")
        .about("Write the metrics of this node's addresses for Prometheus")
        .long_about(
            "Writes what is known on this node about every address of the cluster, in Prometheus's text \
             format: whether it is here, moves and failures since boot, how long the last takeover took, \
             whether EC2 and instance metadata contradicted each other, and, with ocf:heartbeat:eip-health, \
             whether this node could take it. While Pacemaker is down on this node, the addresses are those of the \
             configuration that it saved, or of this node's records, without those that eipctl moved by hand.\n\n\
             Makes no call to EC2: it queries instance metadata and, for an overlay address, the network \
             devices; it reads records, history and node attributes. Unknown values are left out. The unit \
             eip-metrics.timer runs it for node_exporter's textfile collector.",
        )
        .arg(
            option("output", "FILE", "The file to replace, its name ending in .prom [default: standard output]"),
        )
        .arg(timeout("20"))
}

fn restore() -> Command {
    Command::new("restore")
        .about("Restore displaced Elastic IPs")
        .long_about(
            "Restores the Elastic IPs of this node that an address of the cluster had displaced, if that \
             address is gone without having been released here: after a crash or a power failure. The unit \
             eip-restore.service runs it at boot. Addresses displaced by a resource that runs here now stay \
             where they are. Addresses of other kinds displace none, so there is nothing to restore.\n\n\
             AWS is reached with the settings recorded at the displacement; options override them. Retries \
             until --timeout. Exit code 0: nothing is left to do; 1: one line on standard error for each \
             address that is not restored, or that nothing is on record about the one that was given.",
        )
        .arg(address().help(
            "Only this displaced Elastic IP, or what this one has displaced [default: all on record here]",
        ))
        .args(aws("60"))
}

fn drill() -> Command {
    Command::new("drill")
        .about("Move a resource to another node and back, and measure the outage")
        .long_about(
            "Moves a resource of the running cluster to another node and back, and measures how long EC2 \
             showed the old node, no holder and the new node, and, with --probe, how long clients got no \
             answer. Run it on a node of the cluster, as root.\n\n\
             Refused while the cluster is not healthy: a node is offline or in standby, a resource is failed \
             or blocked, this one is unmanaged, not started or has failed before, or an earlier move has left a \
             constraint. Nothing is moved into a container or out of one. Asks for confirmation before it moves \
             anything. The constraint that it creates is removed in any case, even after an interruption.\n\n\
             With --kill it moves nothing: it waits until the node that has the address fails, which is up \
             to you, and measures the failover. --report writes a page with timelines (cluster, agent, EC2, \
             clients), the figures of earlier drills on this node, and what would make it faster.",
        )
        .arg(positional(
            "resource",
            "RESOURCE",
            "The resource, by its name in the cluster [default: the only one with an address]",
        ))
        .arg(option(
            "to",
            "NODE",
            "The node to move it to, which may be a remote node [default: another cluster node]",
        ))
        .arg(option(
            "probe",
            "PORT|URL",
            "Connect to this TCP port of the address continuously, as clients do; of a URL only \
             the port counts",
        ))
        .arg(switch("stay", "Leave it on the other node"))
        .arg(
            switch("kill", "Move nothing, but measure a failure that you cause meanwhile")
                .conflicts_with_all(["to", "stay", "yes"]),
        )
        .arg(option("report", "FILE", "Write the timelines and figures to this file, as one page of HTML"))
        .arg(switch("yes", "Skip the confirmation").short('y'))
        .arg(
            option("poll", "MILLISECONDS", "Interval between queries to EC2 for the holder")
                .default_value("200")
                .value_parser(value_parser!(u64).range(20..=10_000)),
        )
        .args(aws("120"))
        .mut_arg(TIMEOUT, |timeout| {
            timeout.help("Time limit for each move, and with --kill for the failure to come")
        })
        .arg(json())
}

/// `assign` as a command of its own, for the name of the script that it replaces.
pub(super) fn of_assign() -> Command {
    Command::new("assign")
        .about("Assign a secondary private address to an instance")
        .long_about(
            "Assigns a secondary private address to an instance, from any machine that may call EC2: the \
             interface that has the address loses it, an Elastic IP on it moves with it, and EC2 is queried \
             until it shows the address there. The address must be in the instance's subnet.\n\n\
             This is EC2's half. On the instance, the network device must have the address too; the resource \
             agent ocf:heartbeat:vip does both.\n\n\
             Under the name assign_private_ip.sh, the program takes ADDRESS and INSTANCE as that script did.",
        )
        .disable_colored_help(true)
        .arg(positional("address", ADDRESS, "The private address, such as 10.0.1.12").required(true))
        .arg(
            positional("instance", "INSTANCE", "The instance that gets it, such as i-0123456789abcdef0")
                .required(true),
        )
        .arg(option(
            "interface",
            "INTERFACE",
            "The interface of the instance, by its id (eni-...) or device index [default: the \
             primary one]",
        ))
        .arg(
            option("allow_reassignment", "true|false", "Take it from another interface [default: true]")
                .long("allow-reassignment"),
        )
        .args(aws("60"))
}

fn dry_run() -> Arg {
    switch("dry-run", "Print what would be done, and change nothing")
}

fn force() -> Arg {
    switch("force", "Do it even if the cluster has a resource with this address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn an_address_of_two_kinds_is_refused() {
        for name in ["show", "check", "claim", "release"] {
            let line = ["eipctl", name, "10.0.1.21", "--vip", "--route-table", "rtb-0123456789abcdef0"];
            let refused = command().try_get_matches_from(line).unwrap_err();
            assert_eq!(refused.kind(), clap::error::ErrorKind::ArgumentConflict, "{name}: {refused}");
        }
        // Here they mean "also".
        let both = ["eipctl", "policy", "--vip", "--route-table", "rtb-0123456789abcdef0"];
        command().try_get_matches_from(both).unwrap();
    }

    #[test]
    fn the_help_names_every_partition_that_is_accepted() {
        let help = policy().render_long_help().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let names = "aws, aws-cn, aws-us-gov, aws-eusc, aws-iso, aws-iso-b, aws-iso-e or aws-iso-f";
        assert!(help.contains(names), "{help}");
    }

    #[test]
    fn everything_is_described_in_ascii() {
        let mut whole = command();
        whole.build();
        for mut command in whole.get_subcommands().filter(|command| command.get_name() != "help").cloned() {
            assert!(command.get_about().is_some() && command.get_long_about().is_some(), "{command}");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{command} {argument}");
            }
            let help = command.render_long_help().to_string();
            assert!(help.is_ascii(), "{help}");
        }
    }

    #[test]
    fn parameters_of_the_agent_keep_their_names() {
        let line = ["eipctl", "check", "203.0.113.10", "--private-ip-address", "10.0.0.21", "--role-arn=arn"];
        let matches = command().try_get_matches_from(line).unwrap();
        let (_, matches) = matches.subcommand().unwrap();
        assert_eq!(matches.get_one::<String>("private_ip_address").unwrap(), "10.0.0.21");
        assert_eq!(matches.get_one::<String>("role_arn").unwrap(), "arn");
    }
}
