//! A large number of clusters in one process, on virtual time: each has a surviving node that runs the agent's own `start`.

use std::collections::BTreeMap;
use std::time::Duration;

use eip::base::deadline::Deadline;
use eip::base::log::Log;
use eip::cloud::model::{Account, Buckets, Journey, ModelClient, Rate, RouteTableSpec};
use eip::resource::elastic::Elastic;
use eip::resource::error::Error;
use eip::resource::fixtures::{MemoryRecords, TestHost};
use eip::resource::kind::Kind;
use eip::resource::overlay::Overlay;
use eip::resource::private::Private;
use eip::resource::{Action, Parts, Report, Request, run};
use eip::state::{KnownTables, Pair};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::Instant;

use crate::count::Count;
use crate::figures::Figures;
use crate::naive::PolicyClient;
use crate::names::{instance, node, overlay_ip, private_ip, public_ip, table};
use crate::policy::RetryPolicy;

/// Minimum and maximum one-way latency of a call, from two zones to an API endpoint of their Region.
const WAY: std::ops::Range<Duration> = Duration::from_millis(10)..Duration::from_millis(30);
/// Maximum response time of the metadata service, and how long clients wait for it.
const METADATA: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));
/// The networks of the failing nodes, of the surviving ones, and of the secondary addresses.
const DEAD: u8 = 1;
const ALIVE: u8 = 2;
const SECONDARY: u8 = 3;

/// A kind of address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StormKind {
    /// An Elastic IP, with the resource `eip`.
    Elastic,
    /// A secondary private address, with the resource `vip`.
    Private,
    /// An overlay address with one route table, with the resource `overlay-ip`.
    Overlay,
}

impl StormKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Elastic, Self::Private, Self::Overlay];

    /// Name of its resource.
    pub fn name(self) -> &'static str {
        match self {
            Self::Elastic => "eip",
            Self::Private => "vip",
            Self::Overlay => "overlay-ip",
        }
    }

    /// Token bucket of the call that takes it.
    pub fn rate(self) -> Rate {
        match self {
            Self::Elastic | Self::Overlay => Buckets::aws().mutate,
            Self::Private => Buckets::aws().private_ips,
        }
    }
}

/// Options of a storm.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// The kind of address that they take over.
    pub kind: StormKind,
    /// Number of clusters that lose their node.
    pub clusters: usize,
    /// The cluster manager's timeout for each start.
    pub timeout: Duration,
    /// What the clients do when AWS throttles them.
    pub policy: RetryPolicy,
    /// Random seed for times and pauses: the same seed gives the same storm.
    pub seed: u64,
}

impl Storm {
    /// Plays it: all clusters start at the same time.
    pub fn play(&self) -> Figures {
        // The agent draws its pauses from this generator.
        fastrand::seed(self.seed);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap_or_else(|error| panic!("no runtime: {error}"));
        LocalSet::new().block_on(&runtime, self.blow())
    }

    async fn blow(&self) -> Figures {
        let account = self.account();
        let deadline = Deadline::new(Instant::now(), self.timeout);
        let mut starts = Vec::with_capacity(self.clusters);
        for cluster in 0..self.clusters {
            let (account, storm) = (account.clone(), *self);
            starts.push(spawn_local(async move { storm.start(&account, cluster, deadline).await }));
        }
        let mut taken = Vec::new();
        for (cluster, start) in starts.into_iter().enumerate() {
            let took = start.await.unwrap_or_else(|error| panic!("cluster {cluster}: {error}"));
            assert!(
                took.is_none() || self.is_held(&account, cluster),
                "cluster {cluster} reports that it has its address, but it does not"
            );
            taken.extend(took);
        }
        let what = format!("{}, {}", self.kind.name(), self.policy);
        let count = Count::of(&account.records());
        Figures::new(what, self.kind.rate(), self.clusters, self.timeout, taken, count)
    }

    /// An account with full buckets and an address for each cluster, held by the node that fails.
    fn account(&self) -> Account {
        let account = Account::new(self.seed);
        for cluster in 0..self.clusters {
            let dead = account.add_instance(node(DEAD, cluster));
            let alive = account.add_instance(node(ALIVE, cluster));
            for interface in alive.interfaces {
                account.set_source_dest_check(&interface.eni, false);
            }
            for interface in dead.interfaces {
                match self.kind {
                    StormKind::Elastic => {
                        let address = account.allocate(Some(public_ip(cluster)));
                        account.associate(&address, &interface.eni, None);
                    }
                    StormKind::Private => {
                        account.assign_private_ip(&interface.eni, private_ip(SECONDARY, cluster));
                    }
                    StormKind::Overlay => {
                        let id = table(cluster);
                        account.add_route_table(RouteTableSpec { id, ..RouteTableSpec::numbered(0) });
                        account.route(&table(cluster), overlay_ip(cluster).into(), &interface.eni);
                    }
                }
            }
        }
        account.set_journey(None, Journey { usual: WAY, slow_percent: 0, slow: Duration::ZERO });
        account.set_buckets(Some(Buckets::aws()));
        account
    }

    /// True if the surviving node of a cluster has its address.
    fn is_held(&self, account: &Account, cluster: usize) -> bool {
        let survivor = account.instance(&instance(ALIVE, cluster));
        survivor.iter().flat_map(|instance| &instance.interfaces).any(|interface| match self.kind {
            StormKind::Elastic => interface.public_ips.values().any(|ip| *ip == public_ip(cluster)),
            StormKind::Private => interface.private_ips.contains(&private_ip(SECONDARY, cluster)),
            StormKind::Overlay => {
                account.route_of(&table(cluster), overlay_ip(cluster).into()).as_deref()
                    == Some(&interface.eni)
            }
        })
    }

    /// Starts the resource on the surviving node; returns when that was done, or `None` if it failed.
    async fn start(&self, account: &Account, cluster: usize, deadline: Deadline) -> Option<Duration> {
        let name = instance(ALIVE, cluster);
        let (way, attempt) = METADATA;
        let client = ModelClient::new(account, name.as_str()).metadata_attempt(attempt, way);
        let mut host = TestHost::new(1);
        host.instance = Some(name.clone());
        for interface in account.instance(&name).iter().flat_map(|instance| &instance.interfaces) {
            let own: Vec<String> = interface.private_ips.iter().map(ToString::to_string).collect();
            host.network.plug(
                "eth0",
                &interface.mac.to_string(),
                &own.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        }
        let records = MemoryRecords::default();
        // Like every standby after a probe, it knows the address and its allocation, or its route table.
        records.durable.borrow_mut().pair = account.address(public_ip(cluster)).map(|address| Pair {
            public_ip: address.public_ip,
            allocation: address.allocation,
            region: Some("eu-west-1".to_owned()),
        });
        records.durable.borrow_mut().tables = Some(KnownTables {
            overlay_ip: overlay_ip(cluster).into(),
            routing_table: table(cluster).to_string(),
            ids: vec![table(cluster)],
        });
        let ec2 = PolicyClient::new(account, client.clone(), self.policy, deadline);
        let world = Parts { ec2, imds: client, host, records, log: Log::memory() };
        let raw = |name: &str, ip: std::net::Ipv4Addr| BTreeMap::from([(name.to_owned(), ip.to_string())]);
        let outcome = match self.kind {
            StormKind::Elastic => {
                start::<Elastic>(&world, deadline, &raw("elastic_ip", public_ip(cluster))).await
            }
            StormKind::Private => {
                let raw = raw("secondary_private_ip", private_ip(SECONDARY, cluster));
                start::<Private>(&world, deadline, &raw).await
            }
            StormKind::Overlay => {
                let mut raw = raw("overlay_ip", overlay_ip(cluster));
                raw.insert("routing_table".to_owned(), table(cluster).to_string());
                start::<Overlay>(&world, deadline, &raw).await
            }
        };
        match outcome {
            Ok(Report::Done) => Some(account.elapsed()),
            Ok(Report::NotHere(why)) => panic!("a start has no such answer: {why}"),
            Err(_) => None,
        }
    }
}

type StormParts = Parts<PolicyClient, ModelClient, TestHost, MemoryRecords>;

async fn start<K: Kind<StormParts>>(
    world: &StormParts,
    deadline: Deadline,
    raw: &BTreeMap<String, String>,
) -> Result<Report, Error> {
    let params = K::parse(raw).unwrap_or_else(|error| panic!("{error}"));
    run::<K, _>(world, &Request { action: Action::Start, params, deadline, nodes: Vec::new() }).await
}
