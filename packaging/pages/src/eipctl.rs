//! What the page of `eipctl` says beyond its command line.

use crate::command::Words;

/// Of `eipctl`.
pub const WORDS: Words = Words {
    files: &[
        (
            "/var/lib/eip",
            "What is remembered over a reboot: checked ids, addresses to put back, changes of holder.",
        ),
        ("/run/resource-agents/eip", "What was done since the node booted."),
        (
            "/usr/lib/systemd/system/eip-restore.service",
            "Runs `eipctl restore` at boot, before the cluster starts: afterwards, the cluster's address may be where the \
             old one was. It needs `systemctl enable eip-restore` where the package has not switched it on.",
        ),
    ],
    examples: &[
        ("Who holds the address?", "eipctl show 203.0.113.10"),
        ("Before the resource is created, on every node:", "eipctl check 203.0.113.10"),
        (
            "The policy for the role of the nodes:",
            "eipctl policy eipalloc-0123456789abcdef0 --region eu-west-1 --account 123456789012",
        ),
        (
            "With the cluster down, take the address here; first only say so:",
            "eipctl claim 203.0.113.10 --dry-run",
        ),
        ("How long would clients of the web server wait?", "eipctl drill eip --probe 80"),
    ],
    see_also: &["`ocf_heartbeat_eip`(7)", "`pcs`(8)", "`crm_resource`(8)", "`systemctl`(1)"],
};
