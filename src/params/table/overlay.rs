//! The parameter table of the `overlay-ip` agent. Includes the parameters of `aws-vpc-move-ip`, under the same names.

use super::{ContentType, NO_EFFECT, PLAIN, RELOADABLE, SECONDS, Spec, shared};

/// Every parameter of `overlay-ip`, in the order of the meta-data and the documents.
pub const OVERLAY: &[Spec] = &[
    Spec {
        name: "overlay_ip",
        unique: Some("overlay_ip"),
        short: "Overlay IP address",
        long: "The address to keep on the active node, IPv4 or IPv6, such as 192.168.10.1. It must lie \
               outside every range of the VPC. Each route table needs a route for it, created once.",
        ..PLAIN
    },
    Spec {
        name: "ip",
        unique: Some("ip"),
        short: "Overlay IP address, as aws-vpc-move-ip calls it",
        long: "Another name of overlay_ip, so that an {old} resource only has to change its type.",
        ..PLAIN
    },
    Spec {
        name: "address",
        unique: Some("address"),
        short: "Overlay IP address, as aws-vpc-move-ip used to call it",
        long: "Another name of overlay_ip, so that an old aws-vpc-move-ip resource only has to change its \
               type.",
        ..PLAIN
    },
    Spec {
        name: "routing_table",
        required: true,
        short: "Route tables that lead to the address",
        long: "The route tables that lead the address to the active node: ids between commas, such as \
               rtb-0123456789abcdef0,rtb-0fedcba9876543210; tag:KEY=VALUE for every table of the VPC with \
               this tag; or auto for every table of the VPC that has a route for the address. With a tag or \
               auto, the tables found by a start count until the next start.",
        ..PLAIN
    },
    Spec {
        name: "routing_table_role",
        short: "IAM role for the route tables",
        long: "The ARN of an IAM role to assume for calls about route tables alone, such as one in the \
               account that shares its VPC. It is assumed with the credentials that all other calls use. The \
               default is to assume none.",
        ..RELOADABLE
    },
    Spec {
        short: "Network interface to which the routes lead",
        long: "The network interface of the node to which the routes lead: a device name (eth1), a MAC \
               address, an interface id (eni-...) or a device index (1). The default is the primary \
               interface of the instance. Its source/destination check must be off.",
        ..shared::INTERFACE
    },
    Spec {
        name: "device",
        short: "Network device that gets the address",
        long: "The network device that gets the address, with prefix length 32 or 128. The loopback \
               device lo and dummy devices are allowed. The default is the device of the interface.",
        ..PLAIN
    },
    Spec {
        name: "add_to_device",
        kind: ContentType::Boolean,
        default: Some("true"),
        short: "Put the address on a network device",
        long: "Whether the address is also put on a network device. If false, only the routes are changed, and \
               something else must configure the device.",
        ..PLAIN
    },
    Spec {
        name: "iflabel",
        short: "Label of the address on the device",
        long: "A label for the address on the network device, as in IPaddr2: with eth0 and the label \
               web, old tools list the address as eth0:web. DEVICE:LABEL may have at most 15 \
               characters. IPv6 addresses have no labels. The default is no label.",
        ..PLAIN
    },
    Spec {
        name: "route_check_interval",
        default: Some("60"),
        short: "Seconds between two checks of the routes",
        long: "Minimum number of seconds between two monitors that query EC2 for the routes; the monitors in \
               between check only the network device. With 0 every monitor queries EC2.",
        ..SECONDS
    },
    Spec {
        name: "monapi",
        kind: ContentType::Boolean,
        default: Some("false"),
        short: "Check the routes at every monitor",
        long: "For aws-vpc-move-ip compatibility. true: like route_check_interval=0.",
        ..RELOADABLE
    },
    shared::REGION,
    shared::PROFILE,
    shared::ROLE_ARN,
    shared::ENDPOINT_URL,
    shared::IMDS_ENDPOINT,
    shared::CA_BUNDLE,
    shared::CONNECT_TIMEOUT,
    shared::ATTEMPT_TIMEOUT,
    Spec {
        long: "For how many seconds after a start or migration on this node every monitor queries EC2 for the \
               routes, because its answers may still be stale.",
        ..shared::SETTLE_WINDOW
    },
    shared::MAX_BACKOFF,
    shared::AUTH_TYPE,
    Spec {
        name: "lookup_type",
        short: "How the holder is identified (no effect)",
        long: "Accepted so that an {old} resource only has to change its type. It has no effect: \
               the holder is identified by the id of its network interface.",
        ..NO_EFFECT
    },
    shared::AWSCLI,
    Spec {
        name: "awscli_timeout",
        kind: ContentType::Integer,
        short: "Time limit of the AWS command line tool (no effect)",
        long: "Accepted so that an {old} resource only has to change its type. It has no effect: \
               attempt_timeout limits an attempt, and the action's timeout all of them.",
        ..NO_EFFECT
    },
    shared::CURL_RETRIES,
    shared::CURL_SLEEP,
];
