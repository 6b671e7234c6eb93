//! Parameters with the same meaning for every agent: the interface, access to AWS, timing.

use super::{ContentType, NO_EFFECT, PLAIN, RELOADABLE, SECONDS, Spec};

pub(super) const INTERFACE: Spec = Spec {
    name: "interface",
    short: "Network interface that gets the address",
    long: "The network interface of the node that gets the address: a device name (eth1), a MAC address, an \
           interface id (eni-...) or a device index (1). The default is the primary interface of the \
           instance.",
    ..PLAIN
};

pub(super) const REGION: Spec = Spec {
    name: "region",
    short: "AWS region",
    long: "The AWS region, such as eu-west-1. The default is the region that the instance is in.",
    ..RELOADABLE
};

pub(super) const PROFILE: Spec = Spec {
    name: "profile",
    short: "AWS profile",
    long: "The profile of root's AWS configuration that provides the credentials. If it cannot be used, \
           calls fail: the instance role does not replace it. The default is to search the environment, \
           root's AWS files and the instance role, in this order.",
    ..RELOADABLE
};

pub(super) const ROLE_ARN: Spec = Spec {
    name: "role_arn",
    short: "IAM role to assume",
    long: "The ARN of an IAM role to assume for all calls to EC2. The default is to assume none.",
    ..RELOADABLE
};

pub(super) const ENDPOINT_URL: Spec = Spec {
    name: "endpoint_url",
    short: "URL of the EC2 API",
    long: "The URL of the EC2 API, such as that of a VPC interface endpoint. The default is the public \
           endpoint of the region.",
    ..RELOADABLE
};

pub(super) const IMDS_ENDPOINT: Spec = Spec {
    name: "imds_endpoint",
    short: "URL of the instance metadata service",
    long: "The URL of the instance metadata service. The default is http://169.254.169.254. Only version 2 \
           of the service (IMDSv2) is used.",
    ..RELOADABLE
};

pub(super) const CA_BUNDLE: Spec = Spec {
    name: "ca_bundle",
    short: "File of trusted certificates",
    long: "The absolute path of a file (PEM) with the only certificate authorities to trust in calls to AWS. \
           The default is to trust those of the system. Certificates are always verified.",
    ..RELOADABLE
};

pub(super) const CONNECT_TIMEOUT: Spec = Spec {
    name: "connect_timeout",
    default: Some("2"),
    short: "Seconds for a connection to AWS",
    long: "How many seconds establishing a connection to AWS may take before it is retried.",
    ..SECONDS
};

pub(super) const ATTEMPT_TIMEOUT: Spec = Spec {
    name: "attempt_timeout",
    default: Some("4"),
    short: "Seconds for one attempt of a call",
    long: "How many seconds one attempt of a call to AWS may take before it is retried. The timeout of the \
           action limits all attempts together.",
    ..SECONDS
};

pub(super) const MAX_BACKOFF: Spec = Spec {
    name: "max_backoff",
    default: Some("60"),
    short: "Longest pause between attempts in seconds",
    long: "The longest pause in seconds between two attempts of a call to AWS. Pauses exceed one second only \
           if AWS throttles the call, and five seconds only if it has done so for a while: then they are at \
           most a sixth of the time since the first attempt.",
    ..SECONDS
};

pub(super) const SETTLE_WINDOW: Spec = Spec {
    name: "settle_window",
    default: Some("120"),
    short: "Seconds of double-checking after a change",
    long: "For how many seconds after a start, stop or migration on this node a monitor queries EC2 as well \
           as the instance metadata service, which may be behind. After that, a monitor of a healthy address \
           calls EC2 only at OCF_CHECK_LEVEL 10.",
    ..SECONDS
};

pub(super) const AUTH_TYPE: Spec = Spec {
    name: "auth_type",
    default: Some("key"),
    short: "Where credentials come from",
    long: "For {old} compatibility. key: see profile. role: the instance role only; profile is ignored.",
    ..RELOADABLE
};

pub(super) const AWSCLI: Spec = Spec {
    name: "awscli",
    short: "AWS command line tool (no effect)",
    long: "Accepted so that an {old} resource only has to change its type. It has no effect: no AWS command \
           line tool is used.",
    ..NO_EFFECT
};

pub(super) const API_DELAY: Spec = Spec {
    name: "api_delay",
    kind: ContentType::Integer,
    short: "Delay between calls (no effect)",
    long: "Accepted so that an {old} resource only has to change its type. It has no effect: there are no \
           fixed delays.",
    ..NO_EFFECT
};

pub(super) const CURL_RETRIES: Spec = Spec {
    name: "curl_retries",
    kind: ContentType::Integer,
    short: "Retries of curl (no effect)",
    long: "Accepted so that an {old} resource only has to change its type. It has no effect: calls are \
           retried until shortly before the action's timeout.",
    ..NO_EFFECT
};

pub(super) const CURL_SLEEP: Spec = Spec {
    name: "curl_sleep",
    kind: ContentType::Integer,
    short: "Pause between retries of curl (no effect)",
    long: "Accepted so that an {old} resource only has to change its type. It has no effect: pauses between \
           attempts grow up to max_backoff.",
    ..NO_EFFECT
};
