//! Observes an address while it moves: repeated queries to EC2, and continuous connection attempts of a client.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::sightings::{ConnectionAttempt, HolderQuery, Observations};
use crate::base::deadline::Deadline;
use crate::face::cluster::tools::Tools;
use crate::ocf::agent::Agent;
use crate::resource::error::Error;
use crate::resource::kind::{Kind, Location};
use crate::resource::{Action, Request, op};
use crate::with_kind;
use crate::world::RealWorld;

/// Time limit for one query.
const QUERY_LIMIT: Duration = Duration::from_secs(5);
/// Interval between connection attempts.
const CONNECT_INTERVAL: Duration = Duration::from_millis(100);
/// Time limit for one attempt: less than the second after which the kernel retransmits, because if the second packet
/// gets through, the first one may not have.
const CONNECT_LIMIT: Duration = Duration::from_millis(800);

/// What to move and to observe, and how.
pub(super) struct Watch<'a> {
    /// Tools of the cluster.
    pub tools: &'a Tools,
    /// Id of the resource in the cluster.
    pub resource: &'a str,
    /// Time limit of a move.
    pub limit: Duration,
    /// Services used for the queries.
    pub world: &'a RealWorld,
    /// Agent of the resource.
    pub agent: &'static Agent,
    /// Parameters of the resource.
    pub raw: &'a BTreeMap<String, String>,
    /// Where the address belongs on this node, if that is known.
    pub location: Option<&'a Location>,
    /// Pause between two queries.
    pub poll: Duration,
    /// Address and port to connect to, if connections are observed.
    pub client: Option<(IpAddr, u16)>,
}

impl Watch<'_> {
    /// Queries EC2 once for the holder.
    pub async fn query(&self, deadline: Deadline) -> Result<Option<String>, Error> {
        with_kind!(self.agent, K => {
            let (action, params) = (Action::Monitor { level: 10 }, <K as Kind<RealWorld>>::parse(self.raw)?);
            let request = Request { action, params, deadline, nodes: Vec::new() };
            op::<K, _>(self.world, &request).held_by(self.location).await
        })
    }

    /// Observes until dropped; adds to `observations`, with times from `began`.
    pub async fn watch(&self, began: Instant, observations: &RefCell<Observations>) {
        tokio::join!(self.poll_holder(began, observations), self.poll_connection(began, observations));
    }

    async fn poll_holder(&self, began: Instant, observations: &RefCell<Observations>) {
        loop {
            let sent = began.elapsed();
            let next = Instant::now() + self.poll;
            match self.query(Deadline::new(Instant::now(), QUERY_LIMIT)).await {
                Ok(holder) => {
                    observations.borrow_mut().queries.push(HolderQuery {
                        sent,
                        answered: began.elapsed(),
                        holder,
                    });
                }
                Err(_) => observations.borrow_mut().unanswered += 1,
            }
            tokio::time::sleep_until(next).await;
        }
    }

    async fn poll_connection(&self, began: Instant, observations: &RefCell<Observations>) {
        let Some((address, port)) = self.client else { return };
        let target = SocketAddr::from((address, port));
        let mut under_way = JoinSet::new();
        loop {
            under_way.spawn(async move {
                let began = began.elapsed();
                let connected =
                    timeout(CONNECT_LIMIT, TcpStream::connect(target)).await.is_ok_and(|it| it.is_ok());
                ConnectionAttempt { began, connected }
            });
            tokio::time::sleep(CONNECT_INTERVAL).await;
            while let Some(ended) = under_way.try_join_next() {
                observations.borrow_mut().attempts.extend(ended.ok());
            }
        }
    }
}
