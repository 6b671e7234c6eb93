//! What a page says of an agent beyond its tables: what its actions do, when it answers what, and examples.

use eip::ocf::agent::Agent;
use eip::ocf::exit::ExitCode;

pub mod elastic_ip;
pub mod vip;

/// An agent, and what its tables do not say.
#[derive(Debug)]
pub struct About {
    /// The agent.
    pub agent: &'static Agent,
    /// What each action does; of those that are not here, `COMMON_ACTIONS` says it.
    pub actions: &'static [(&'static str, &'static str)],
    /// When it answers what.
    pub exit_codes: &'static [(ExitCode, &'static str)],
    /// What for, and the commands.
    pub examples: &'static [(&'static str, &'static str)],
    /// Other pages, as they are printed.
    pub see_also: &'static [&'static str],
}

impl About {
    /// Returns what an action does; nothing where nobody wrote it down, which the tests find.
    #[must_use]
    pub fn does(&self, action: &str) -> &'static str {
        let mut all = self.actions.iter().chain(COMMON_ACTIONS);
        all.find(|(name, _)| *name == action).map_or("", |(_, does)| does)
    }
}

/// What every agent here does alike.
const COMMON_ACTIONS: &[(&str, &str)] = &[
    (
        "reload-agent",
        "Takes over changed parameters that are marked reloadable. The resource stays where it is.",
    ),
    (
        "validate-all",
        "Checks the parameters by themselves. At `OCF_CHECK_LEVEL` 10 it also looks at this node and at AWS: the \
         metadata service, the credentials, the permissions and the address. Nothing is changed.",
    ),
    ("meta-data", "Prints the meta-data. Works for every user, without network and credentials."),
];

/// What the environment says to every agent here. Names that belong together are separated by spaces.
pub(crate) const COMMON_ENVIRONMENT: &[(&str, &str)] = &[
    ("OCF_RESKEY_NAME", "The parameter NAME. An empty value counts as not set."),
    (
        "OCF_RESKEY_CRM_meta_timeout",
        "Milliseconds after which Pacemaker kills the action; 20000 when unset. The agent answers shortly before that, \
         whatever AWS does.",
    ),
    (
        "OCF_CHECK_LEVEL",
        "0: as cheap as can be. 10: monitor asks EC2 too, and validate-all looks at this node and at AWS. \
         20 is as 10.",
    ),
    ("OCF_RESOURCE_INSTANCE", "The name of the resource. The state files and the lines of the log carry it."),
    (
        "HA_LOGFACILITY HA_LOGFILE HA_DEBUGLOG HA_debug",
        "Where the log goes, as Pacemaker sets them. Lines have the tag NAME(RESOURCE)[PID].",
    ),
    (
        "OCF_TRACE_RA OCF_TRACE_FILE",
        "A trace of every decision, request and answer, without secrets: on, and where to.",
    ),
    (
        "HTTPS_PROXY HTTP_PROXY NO_PROXY",
        "The proxy to EC2 and STS. The metadata service is never asked through a proxy.",
    ),
    (
        "AWS_REGION AWS_PROFILE AWS_ENDPOINT_URL_EC2 AWS_CA_BUNDLE",
        "As for other AWS tools, like the rest of these variables; a parameter that is set goes before.",
    ),
    ("EIP_STATE_DIR", "A folder for all state files, in place of those below."),
];

/// The files of every agent here.
pub(crate) const COMMON_FILES: &[(&str, &str)] = &[
    ("/usr/lib/ocf/resource.d/heartbeat/eip", "The one binary; its other names are links to it."),
    (
        "/var/lib/eip",
        "What is remembered over a reboot, a file for each resource: checked ids, the addresses to put back, and what \
         was done. A lost file costs a look at EC2, and an address that was to be put back is not.",
    ),
    ("/run/resource-agents/eip", "What was done since the node booted. Below HA_RSCTMP where that is set."),
    (
        "/root/.aws/config /root/.aws/credentials /root/.awssecret",
        "Credentials, where the role of the instance is not to give them.",
    ),
];
