//! A secondary private address.

use eip::ocf::agent;
use eip::ocf::exit::ExitCode;

use super::About;

/// The agent `vip`.
pub const ABOUT: About = About {
    agent: &agent::VIP,
    actions: &[
        (
            "start",
            "Has EC2 assign the address to this node, from whom it may be, waits until EC2 shows it here, and puts it on the \
             network device. What is here already is not done again.",
        ),
        (
            "stop",
            "Takes the address off the network device, and has EC2 take it off the interface if it is there; a node that took \
             it over in the meantime keeps it.",
        ),
        (
            "monitor",
            "Says whether the address is here: on the interface and on the network device. The metadata service of the \
             instance and the kernel are asked; EC2 only when the metadata service says no, after a change, or at \
             `OCF_CHECK_LEVEL` 10.",
        ),
        (
            "migrate_to",
            "Checks that the address is here. With the meta attribute `allow-migrate=true` a planned move is one call on \
             the new node.",
        ),
        ("migrate_from", "Takes the address from the node that is to give it up, as start does."),
    ],
    exit_codes: &[
        (ExitCode::Success, "Done. For monitor: the address is here."),
        (
            ExitCode::Generic,
            "AWS could not be reached, throttled or failed until the time was up; another interface has the address and \
             `allow_reassignment` is false; the kernel refused; a stop was denied.",
        ),
        (
            ExitCode::Args,
            "Not on this node: no such interface or network device, another subnet, or the primary address of an interface.",
        ),
        (ExitCode::Unimplemented, "There is no such action."),
        (ExitCode::Permission, "IAM denies the call, or the credentials are missing or rejected."),
        (ExitCode::Installed, "This is no EC2 instance."),
        (ExitCode::Configured, "A parameter is missing or malformed."),
        (ExitCode::NotRunning, "From monitor alone: the address is not here."),
    ],
    examples: &[
        (
            "With pcs, one address in the subnet of the nodes:",
            "pcs resource create vip ocf:heartbeat:vip secondary_private_ip=10.0.0.100 \\\n    \
             op monitor interval=10s timeout=20s",
        ),
        (
            "With crmsh, on a second interface, with a label for old tools:",
            "crm configure primitive vip ocf:heartbeat:vip \\\n    \
             params secondary_private_ip=10.0.0.100 interface=eth1 iflabel=web \\\n    \
             op start timeout=60s op stop timeout=60s op monitor interval=10s timeout=20s",
        ),
        (
            "Could this node take the address over (Pacemaker 2.1.1 and later)? Nothing is changed:",
            "crm_resource --validate=10 --class ocf --provider heartbeat --agent vip \\\n    \
             --option secondary_private_ip=10.0.0.100",
        ),
    ],
    see_also: &["`ocf_heartbeat_eip`(7)", "`eipctl`(8)", "`pcs`(8)", "`crm`(8)", "`ocf_heartbeat_awsvip`(7)"],
};
