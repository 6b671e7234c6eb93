//! What differs between kinds of address, for the runs and the rules.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use eip::base::deadline::Deadline;
use eip::cloud::model::{Account, Caller, ElasticIpHolder, ModelClient};
use eip::resource::elastic::Elastic;
use eip::resource::error::Error;
use eip::resource::fixtures::TestHost;
use eip::resource::kind::Kind;
use eip::resource::overlay::Overlay;
use eip::resource::private::Private;
use eip::resource::{Action, Parts, Report, Request, run};

use crate::names::{ELASTIC_IP, NodeId, OVERLAY_IP, PRIVATE_IP, node_of, table_id, tables};
use crate::node::Memory;

/// The world of one action.
pub type TestParts = Parts<ModelClient, ModelClient, TestHost, Memory>;

/// One state of the address, until the next.
#[derive(Debug, Clone)]
pub struct Held {
    /// Since when, counted from the beginning of the run.
    pub since: Duration,
    /// By whom.
    pub by: Option<NodeId>,
    /// Which call made it so: the node, and the number of the action that the call belonged to; `None` for an administrator.
    pub made_by: Option<(NodeId, usize)>,
    /// When that call was sent: it may have been under way for long.
    pub sent: Duration,
}

impl Held {
    fn new(since: Duration, by: &Caller, eni: Option<&str>) -> Self {
        let made_by = by.instance.as_ref().and_then(|id| Some((node_of(id)?, by.process)));
        Self { since, by: eni.and_then(node_of), made_by, sent: by.sent }
    }
}

/// A kind of address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayedKind {
    /// An Elastic IP: the resource `eip`.
    Elastic,
    /// A secondary private address: the resource `vip`.
    Private,
    /// An overlay address in three route tables: the resource `overlay-ip`.
    Overlay,
}

impl PlayedKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Elastic, Self::Private, Self::Overlay];

    /// Every state that the kind's address had, the oldest first. There is always one.
    pub fn history(self, account: &Account) -> Vec<Held> {
        match self {
            Self::Elastic => Self::elastic_history(account, ELASTIC_IP),
            Self::Private => {
                let changes = account.private_ip_changes(PRIVATE_IP).into_iter();
                let unassigned =
                    Held { since: Duration::ZERO, by: None, made_by: None, sent: Duration::ZERO };
                let changes = changes.map(|change| Held::new(change.at, &change.by, change.value.as_deref()));
                // Before it was assigned for the first time EC2 knew nothing of it.
                [unassigned].into_iter().chain(changes).collect()
            }
            // Held by the node to which all tables lead; a mixture is held by none.
            Self::Overlay => {
                let changes = account.overlay_changes(OVERLAY_IP.into()).into_iter();
                changes.map(|change| Held::new(change.at, &change.by, change.value.as_deref())).collect()
            }
        }
    }

    /// Every state that an Elastic IP had, the oldest first.
    pub fn elastic_history(account: &Account, ip: Ipv4Addr) -> Vec<Held> {
        let changes = account.elastic_ip_changes(ip).into_iter();
        let eni = |holder: &Option<ElasticIpHolder>| holder.as_ref().map(|holder| holder.eni.clone());
        changes.map(|change| Held::new(change.at, &change.by, eni(&change.value).as_deref())).collect()
    }

    /// Whether EC2 names each holding of the address, so that an action can tell a peer's from one that it made before.
    pub fn has_association_ids(self) -> bool {
        self == Self::Elastic
    }

    /// Whether a stop gives the address up in EC2. If not, it must change nothing there.
    pub fn is_released_by_a_stop(self) -> bool {
        self != Self::Overlay
    }

    /// Whether this question to the metadata is answered with who has the address.
    pub fn is_shown_by(self, path: &str) -> bool {
        match self {
            Self::Elastic => path.contains("/ipv4-associations"),
            Self::Private => path.ends_with("/interface-id"),
            Self::Overlay => false,
        }
    }

    /// Runs an action of the kind's resource.
    ///
    /// # Errors
    /// The agent's.
    ///
    /// # Panics
    /// If the agent does not accept the parameters of this test.
    pub async fn run(self, parts: &TestParts, action: Action, deadline: Deadline) -> Result<Report, Error> {
        match self {
            Self::Elastic => {
                run_kind::<Elastic>(parts, action, deadline, &raw("elastic_ip", &ELASTIC_IP)).await
            }
            Self::Private => {
                run_kind::<Private>(parts, action, deadline, &raw("secondary_private_ip", &PRIVATE_IP)).await
            }
            Self::Overlay => {
                let ids: Vec<String> = tables().map(|table| table_id(table).to_string()).collect();
                let mut raw = raw("overlay_ip", &OVERLAY_IP);
                raw.insert("routing_table".to_owned(), ids.join(","));
                // What a node does not ask for it cannot know: the interval is the unit tests' matter.
                raw.insert("route_check_interval".to_owned(), "0".to_owned());
                run_kind::<Overlay>(parts, action, deadline, &raw).await
            }
        }
    }

    /// Whether a node's kernel has what the kind needs there.
    pub fn is_on_host(self, host: &TestHost) -> bool {
        match self {
            Self::Elastic => true,
            Self::Private => host.network.device_with(&PRIVATE_IP.to_string()).is_some(),
            Self::Overlay => host.network.device_with(&OVERLAY_IP.to_string()).is_some(),
        }
    }
}

async fn run_kind<K: Kind<TestParts>>(
    parts: &TestParts,
    action: Action,
    deadline: Deadline,
    raw: &BTreeMap<String, String>,
) -> Result<Report, Error> {
    let params = K::parse(raw).unwrap_or_else(|error| panic!("{error}"));
    run::<K, _>(parts, &Request { action, params, deadline, nodes: Vec::new() }).await
}

fn raw(name: &str, value: &impl ToString) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_string())])
}
