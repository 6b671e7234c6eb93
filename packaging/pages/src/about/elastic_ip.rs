//! An Elastic IP.

use eip::ocf::agent;
use eip::ocf::exit::ExitCode;

use super::About;

/// The agent `eip`.
pub const ABOUT: About = About {
    agent: &agent::EIP,
    actions: &[
        (
            "start",
            "Takes the address, from whom it may be, and waits until EC2 shows it here. If it is here already, nothing is \
             written.",
        ),
        (
            "stop",
            "Lets go of the address if it is here, of exactly this association; a node that took it over in the meantime \
             keeps it.",
        ),
        (
            "monitor",
            "Says whether the address is here. The metadata service of the instance is asked; EC2 only when that says no, \
             after a change, or at `OCF_CHECK_LEVEL` 10. Without an answer from either it fails and never says \"not \
             running\".",
        ),
        (
            "migrate_to",
            "Checks that the address is here. With the meta attribute `allow-migrate=true` a planned move is one call on \
             the new node, with no moment in which nobody holds the address.",
        ),
        ("migrate_from", "Takes the address from the node that is to give it up, as start does."),
    ],
    exit_codes: &[
        (ExitCode::Success, "Done. For monitor: the address is here."),
        (
            ExitCode::Generic,
            "AWS could not be reached, throttled or failed until the time was up; the address has another holder and \
             `allow_reassociation` is false; a stop was denied.",
        ),
        (
            ExitCode::Args,
            "Not on this node: no such interface or private address, the address not found or another account's, no \
             internet gateway, another network border group, or a private address that carries the address of another \
             resource.",
        ),
        (ExitCode::Unimplemented, "There is no such action."),
        (ExitCode::Permission, "IAM denies the call, or the credentials are missing or rejected."),
        (ExitCode::Installed, "This is no EC2 instance."),
        (ExitCode::Configured, "A parameter is missing or malformed."),
        (ExitCode::NotRunning, "From monitor alone: the address is not here."),
    ],
    examples: &[
        (
            "With pcs, one address:",
            "pcs resource create eip ocf:heartbeat:eip elastic_ip=203.0.113.10 \\\n    \
             op monitor interval=10s timeout=20s meta allow-migrate=true",
        ),
        (
            "With crmsh, by its allocation, on a private address that differs from node to node:",
            "crm configure primitive eip ocf:heartbeat:eip \\\n    \
             params allocation_id=eipalloc-0123456789abcdef0 \\\n        \
             private_ip_address=\"node1=10.0.0.21,node2=10.0.1.21\" \\\n    \
             op start timeout=60s op stop timeout=60s op monitor interval=10s timeout=20s \\\n    \
             meta allow-migrate=true",
        ),
        (
            "Could this node take the address over (Pacemaker 2.1.1 and later)? Nothing is changed:",
            "crm_resource --validate=10 --class ocf --provider heartbeat --agent eip \\\n    \
             --option elastic_ip=203.0.113.10",
        ),
    ],
    see_also: &[
        "`eipctl`(8)",
        "`pcs`(8)",
        "`crm`(8)",
        "`crm_resource`(8)",
        "`ocf_heartbeat_vip`(7)",
        "`ocf_heartbeat_awseip`(7)",
    ],
};
