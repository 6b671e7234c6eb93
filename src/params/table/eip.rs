//! The parameter table of the `eip` agent.

use super::{ON, PLAIN, RELOADABLE, Spec, shared};

/// Every parameter of `eip`, in the order of the meta-data and the documents.
pub const EIP: &[Spec] = &[
    Spec {
        name: "elastic_ip",
        unique: Some("elastic_ip"),
        short: "Elastic IP address",
        long: "The Elastic IP, as a dotted IPv4 address such as 203.0.113.10. Set this or allocation_id. If \
               both are set they must belong together.",
        ..PLAIN
    },
    Spec {
        name: "allocation_id",
        unique: Some("allocation_id"),
        short: "Allocation id of the Elastic IP",
        long: "The allocation id of the Elastic IP, such as eipalloc-0123456789abcdef0. Set this or \
               elastic_ip. If both are set they must belong together.",
        ..PLAIN
    },
    shared::INTERFACE,
    Spec {
        name: "private_ip_address",
        unique: Some("private_ip_address"),
        short: "Private address that carries the Elastic IP",
        long: "The private address on that interface that carries the Elastic IP: one address for all nodes, \
               or a list by node name such as node1=10.0.0.21,node2=10.0.1.21, since subnets differ between \
               zones. The default is the primary private address of the interface. Two Elastic IPs that may \
               run on the same node need one private address each.",
        ..PLAIN
    },
    shared::REGION,
    shared::PROFILE,
    shared::ROLE_ARN,
    shared::ENDPOINT_URL,
    shared::IMDS_ENDPOINT,
    shared::CA_BUNDLE,
    Spec {
        name: "allow_reassociation",
        short: "Take the address from another holder",
        long: "Whether a start takes the address from its current holder, which a takeover from a failed \
               node requires. If false, a start fails while another node holds the address, and on_stop is \
               strict.",
        ..ON
    },
    Spec {
        name: "on_stop",
        default: Some("disassociate"),
        short: "What a stop does with the address",
        long: "What a stop does with the address. disassociate: release it; if AWS cannot be reached in \
               time, log an error and succeed, because the next start takes the address over in any case. \
               strict: release it; if AWS cannot be reached in time, fail, whereupon the cluster fences the \
               node or blocks the resource. leave: do not release it.",
        ..RELOADABLE
    },
    Spec {
        name: "restore_displaced",
        short: "Restore a displaced Elastic IP",
        long: "Whether an Elastic IP that a start displaces from the private address is recorded, and \
               restored when this one is released.",
        ..ON
    },
    shared::CONNECT_TIMEOUT,
    shared::ATTEMPT_TIMEOUT,
    shared::SETTLE_WINDOW,
    shared::MAX_BACKOFF,
    shared::AUTH_TYPE,
    shared::AWSCLI,
    shared::API_DELAY,
    shared::CURL_RETRIES,
    shared::CURL_SLEEP,
];
