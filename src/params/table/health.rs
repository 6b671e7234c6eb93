//! The parameters of `eip-health`.

use super::{ContentType, RELOADABLE, SECONDS, Spec};

/// The parameters, in the order of the meta-data.
pub const HEALTH: &[Spec] = &[
    Spec {
        name: "dry_run_interval",
        default: Some("3600"),
        short: "Seconds between dry runs of the EC2 calls",
        long: "Seconds until the permissions are checked again by a dry run of the EC2 calls. These are the only \
               calls to EC2. A dry run that failed or got no answer is repeated after 5 minutes, if that is sooner.",
        ..SECONDS
    },
    Spec {
        name: "node_health",
        kind: ContentType::Boolean,
        default: Some("false"),
        short: "Whether to set the node's health",
        long: "Whether to set the node attribute #health-eip as well, by which Pacemaker moves every resource off a red node \
               if node-health-strategy is set. A node that has an address is green; a node is red only for a fault of its \
               own while another node is green. It is not set without the meta attribute \
               allow-unhealthy-nodes=true on the clone, before Pacemaker 2.1.3, and with \
               node-health-strategy=only-green.",
        ..RELOADABLE
    },
];
