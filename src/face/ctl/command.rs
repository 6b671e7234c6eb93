//! The command line of `eipctl` and its help text, from which the manual page and the completion are generated.

use clap::{Arg, ArgAction, Command, value_parser};

use super::options::{address, aws, json, parameter, place, switch, timeout};

/// The complete command line.
///
/// The help has to be complete: `eipctl help COMMAND` is the only documentation at hand when an address has to be
/// moved in a hurry.
#[must_use]
pub fn command() -> Command {
    Command::new(super::NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about("Looks after AWS Elastic IPs that a cluster keeps on its healthy node")
        .long_about(
            "Looks after AWS Elastic IPs that a cluster keeps on its healthy node.\n\n\
             It is the cluster's resource agent eip under another name, so what it finds and does is what the agent \
             would find and do on this node: with the same credentials, the same metadata service and the same records.",
        )
        .after_long_help(
            "Exit codes: 0 done, 1 failed, 2 wrong usage. With each failure goes one line on standard error.\n\n\
             Credentials and region are found as the agent finds them. The variables of the AWS tools (AWS_REGION, \
             AWS_PROFILE, AWS_CA_BUNDLE, HTTPS_PROXY and others) are honoured. No secret is ever printed.",
        )
        .subcommand_required(true)
        .disable_colored_help(true)
        .subcommands([
            show(),
            check(),
            claim(),
            release(),
            policy(),
            history(),
            restore(),
            drill(),
            of_assign(),
        ])
}

fn show() -> Command {
    Command::new("show")
        .about("Say who holds an address")
        .long_about(
            "Says who holds an address: as EC2 says, as the metadata service of this node says, and what this node has on \
             record about it. Nothing is changed. It can be asked on any machine that may call EC2.\n\n\
             Exit code 0: EC2 has answered, whoever holds the address.",
        )
        .arg(address())
        .args(place())
        .args(aws())
        .arg(timeout("20"))
        .arg(json())
}

fn check() -> Command {
    Command::new("check")
        .about("Find out whether this node could take an address over")
        .long_about(
            "Finds out whether this node could take an address over, and let it go, at this moment: parameters, metadata \
             service, interface and private address, credentials, permissions (by EC2's dry runs), the address itself, the \
             clock, the way to the EC2 API, the folders for records. Nothing is changed.\n\n\
             Each check is a line: ok, warn (works now, but think about it) or FAIL, with what would be right. A \
             check that has to wait for another that failed is a line that begins with a dash. Run it on every node before \
             the resource is created, and after changes of roles, routes or proxies.\n\n\
             Exit code 0: nothing failed; 1: something did.",
        )
        .arg(address())
        .args(place())
        .args(aws())
        .arg(timeout("30"))
        .arg(json())
}

fn claim() -> Command {
    Command::new("claim")
        .about("Take an address to this node by hand")
        .long_about(
            "Takes an address to this node by hand, as the agent's start does: whoever holds it loses it, EC2 is asked \
             until it shows the address here, and an Elastic IP that has to make way is remembered.\n\n\
             For clusters that are down, and for machines without a cluster. Where the cluster runs a resource with this \
             address on this node it is refused; use pcs or crm_resource there.",
        )
        .arg(address())
        .args(place())
        .arg(parameter("allow_reassociation"))
        .arg(parameter("restore_displaced"))
        .arg(dry_run())
        .arg(force())
        .args(aws())
        .arg(timeout("60"))
}

fn release() -> Command {
    Command::new("release")
        .about("Let an address of this node go by hand")
        .long_about(
            "Lets an address go that this node holds, as the agent's stop does: exactly the association that EC2 shows here \
             is ended, so that a newer one of another node is not touched. Elastic IPs that had made way are put back.\n\n\
             Where another node holds the address, or nobody, nothing is done and the exit code is 0. Where the cluster \
             runs a resource with this address on this node it is refused; use pcs or crm_resource there.",
        )
        .arg(address())
        .args(place())
        .arg(parameter("restore_displaced"))
        .arg(dry_run())
        .arg(force())
        .args(aws())
        .arg(timeout("60"))
}

fn policy() -> Command {
    Command::new("policy")
        .about("Print the IAM policy that an address needs, and no more")
        .long_about(
            "Prints the IAM policy for the role of the nodes, limited to one address: asking who holds it, associating it \
             with instances and interfaces of the account, and ending its associations.\n\n\
             What is not given on the command line is found out: region and account from the metadata service, the \
             allocation id from EC2. With an allocation id, --region and --account nobody is asked, so that it can be made \
             anywhere.",
        )
        .arg(address().required(false).required_unless_present_any(["vip", "route-table"]))
        .arg(
            Arg::new("also")
                .long("also")
                .value_name("ALLOCATION")
                .action(ArgAction::Append)
                .help("Another allocation id to allow, such as that of an Elastic IP that has to make way; can be repeated"),
        )
        .arg(
            Arg::new("tag")
                .long("tag")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .help("Allow only instances and interfaces that have this tag; can be repeated"),
        )
        .arg(Arg::new("account").long("account").value_name("ID").help("The account, twelve digits"))
        .arg(
            Arg::new("partition")
                .long("partition")
                .value_name("NAME")
                .help("aws, aws-cn or aws-us-gov [default: that of the region]"),
        )
        .arg(switch(
            "vip",
            "vip",
            "Allow what the agent ocf:heartbeat:vip needs too: secondary private addresses of interfaces",
        ))
        .arg(
            Arg::new("route-table")
                .long("route-table")
                .value_name("ID")
                .action(ArgAction::Append)
                .help("Allow what the agent ocf:heartbeat:overlay-ip needs too, for this route table or * for all; can be repeated"),
        )
        .arg(switch("explain", "explain", "Say what each statement is for, instead of printing the policy"))
        .args(aws())
        .arg(timeout("20"))
}

fn history() -> Command {
    Command::new("history")
        .about("List the changes of holder that this node made")
        .long_about(
            "Lists the changes of holder that this node made, the oldest first, in local time. Each node keeps the last \
             hundred for each resource, also over a boot. Nobody is asked.",
        )
        .arg(
            Arg::new("resource")
                .long("resource")
                .value_name("NAME")
                .help("Only those of this resource, by its name in the cluster"),
        )
        .arg(json())
}

fn restore() -> Command {
    Command::new("restore")
        .about("Put Elastic IPs back that had to make way")
        .long_about(
            "Puts back the Elastic IPs of this node that had to make way for an address of the cluster, where that address \
             is gone without having been let go here: after a crash or a loss of power. The unit eip-restore.service runs it \
             at boot. Addresses that make way for a resource that runs here at present stay where they are.\n\n\
             How AWS is reached is on record from when the address made way; options change it. It tries until \
             --timeout. Exit code 0: nothing is left to do; 1: a line on standard error for each address that is not back.",
        )
        .args(aws())
        .arg(timeout("60"))
}

fn drill() -> Command {
    Command::new("drill")
        .about("Move a resource to another node and back, and measure what clients notice")
        .long_about(
            "Moves a resource of the running cluster to another node and back, and measures it: how long EC2 showed nobody, \
             the old and the new node as the holder, and, with --probe, how long clients saw no answer. To be run \
             on a node of the cluster, as root.\n\n\
             It is refused while the cluster is not healthy: a node that is offline or in standby, a resource that is failed \
             or not managed, or a constraint that an earlier move has left. It asks before it moves anything. Whatever \
             happens, the constraint that it makes is removed again, also when it is interrupted.",
        )
        .arg(
            Arg::new("resource")
                .value_name("RESOURCE")
                .required(true)
                .help("The resource of type eip, by its name in the cluster"),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("NODE")
                .help("The node to move it to [default: another one that is online]"),
        )
        .arg(
            Arg::new("probe")
                .long("probe")
                .value_name("PORT|URL")
                .help("Connect to this port of the address all the time (TCP), as clients do; a URL is reduced to its port"),
        )
        .arg(switch("stay", "stay", "Leave it on the other node"))
        .arg(Arg::new("yes").long("yes").short('y').action(ArgAction::SetTrue).help("Do not ask first"))
        .arg(
            Arg::new("poll")
                .long("poll")
                .value_name("MILLISECONDS")
                .default_value("200")
                .value_parser(value_parser!(u64).range(20..=10_000))
                .help("How often to ask EC2 who holds the address"),
        )
        .args(aws())
        .arg(timeout("120").help("How long each move may take"))
        .arg(json())
}

/// `assign` as a command of its own, for the name of the script that it replaces.
pub(super) fn of_assign() -> Command {
    Command::new("assign")
        .about("Give a secondary private address to an instance")
        .long_about(
            "Gives a secondary private address to an instance, from anywhere that may call EC2: whichever interface has the \
             address loses it, an Elastic IP on it moves along, and EC2 is asked until it shows it there. The address has to be \
             of the instance's subnet.\n\n\
             This is EC2's half. On the instance, the address has to be on the network device too; a cluster's resource \
             ocf:heartbeat:vip sees to both.\n\n\
             Called by the name assign_private_ip.sh, the program takes ADDRESS and INSTANCE as that script did.",
        )
        .disable_colored_help(true)
        .arg(
            Arg::new("address")
                .value_name("ADDRESS")
                .required(true)
                .help("The private address, such as 10.0.1.12"),
        )
        .arg(
            Arg::new("instance")
                .value_name("INSTANCE")
                .required(true)
                .help("The instance that is to have it, such as i-0123456789abcdef0"),
        )
        .arg(
            Arg::new("interface")
                .long("interface")
                .value_name("INTERFACE")
                .help("The interface of the instance, by its id (eni-...) or device index [default: the primary one]"),
        )
        .arg(
            Arg::new("allow_reassignment")
                .long("allow-reassignment")
                .value_name("true|false")
                .help("Take it from another interface [default: true]"),
        )
        .args(aws())
        .arg(timeout("60"))
}

fn dry_run() -> Arg {
    switch("dry-run", "dry-run", "Say what would be done, and do nothing")
}

fn force() -> Arg {
    switch("force", "force", "Do it also where the cluster runs a resource with this address here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
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
