//! Observes an address while it moves: repeated queries to EC2, and continuous connection attempts of a client.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::sightings::{ConnectionAttempt, HolderQuery};
use crate::base::deadline::Deadline;
use crate::params::Params;
use crate::resource::elastic;
use crate::resource::error::Error;
use crate::resource::{Action, Request};
use crate::world::RealWorld;

/// Time limit for one query.
const QUERY_LIMIT: Duration = Duration::from_secs(5);
/// Interval between connection attempts.
const CONNECT_INTERVAL: Duration = Duration::from_millis(100);
/// Time limit for one attempt: less than the second after which the kernel retransmits, because if the second packet
/// gets through, the first one may not have.
const CONNECT_LIMIT: Duration = Duration::from_millis(800);

/// Observations of one move so far.
#[derive(Debug, Default)]
pub(super) struct Observations {
    /// Queries that EC2 answered.
    pub queries: Vec<HolderQuery>,
    /// Number of queries without an answer.
    pub unanswered: usize,
    /// Finished connection attempts.
    pub attempts: Vec<ConnectionAttempt>,
}

/// What to observe, and how.
pub(super) struct Watch<'a> {
    /// Services used for the queries.
    pub world: &'a RealWorld,
    /// Parameters of the resource.
    pub params: &'a Params,
    /// Pause between two queries.
    pub poll: Duration,
    /// Address and port to connect to, if connections are observed.
    pub client: Option<(Ipv4Addr, u16)>,
}

impl Watch<'_> {
    /// Queries EC2 for address and holder, with retries until the deadline.
    pub async fn query(&self, deadline: Deadline) -> Result<(Ipv4Addr, Option<String>), Error> {
        let request = Request {
            action: Action::Monitor { level: 10 },
            params: self.params.clone(),
            deadline,
            nodes: Vec::new(),
        };
        let address = elastic::holder(self.world, &request).await?;
        Ok((address.public_ip, address.association.map(|association| association.to_string())))
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
                Ok((_, holder)) => {
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
