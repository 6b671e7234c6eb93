//! The parameter table of the `vip` agent. Includes the parameters of `awsvip`, under the same names.

use super::{ContentType, ON, PLAIN, RELOADABLE, Spec, shared};

/// Every parameter of `vip`, in the order of the meta-data and the documents.
pub const VIP: &[Spec] = &[
    Spec {
        name: "secondary_private_ip",
        unique: Some("secondary_private_ip"),
        required: true,
        short: "Secondary private IP address",
        long: "The private address to keep on the active node, such as 10.0.0.12. It must be in the subnet \
               of all nodes, and must not be the primary address of an interface.",
        ..PLAIN
    },
    shared::INTERFACE,
    Spec {
        name: "add_to_device",
        kind: ContentType::Boolean,
        default: Some("true"),
        short: "Put the address on the network device",
        long: "Whether the address is also put on the network device of the interface, with the prefix \
               length of the subnet, and announced by gratuitous ARP. If false, the address is assigned in \
               EC2 only, and the device is left to something else, such as an IPaddr2 resource.",
        ..PLAIN
    },
    Spec {
        name: "iflabel",
        short: "Label of the address on the device",
        long: "A label for the address on the network device, as in IPaddr2: with eth0 and the label web, \
               old tools list the address as eth0:web. DEVICE:LABEL may have at most 15 characters. The \
               default is no label.",
        ..PLAIN
    },
    shared::REGION,
    shared::PROFILE,
    shared::ROLE_ARN,
    shared::ENDPOINT_URL,
    shared::IMDS_ENDPOINT,
    shared::CA_BUNDLE,
    Spec {
        name: "allow_reassignment",
        short: "Take the address from another holder",
        long: "Whether a start takes the address from the interface that has it, which a takeover from a \
               failed node requires. If false, a start fails while another interface has the address, and \
               on_stop is strict.",
        ..ON
    },
    Spec {
        name: "on_stop",
        default: Some("unassign"),
        short: "What a stop does with the address in EC2",
        long: "What a stop does with the address after removing it from the network device. unassign: remove \
               it from the interface; if AWS cannot be reached in time, log an error and succeed, because \
               the next start takes the address over in any case. strict: remove it from the interface; if \
               AWS cannot be reached in time, fail, whereupon the cluster fences the node or blocks the \
               resource. leave: leave it on the interface until another node takes it; an Elastic IP on it \
               then moves with it, whereas unassign would disassociate it.",
        ..RELOADABLE
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
