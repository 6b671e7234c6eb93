//! Watching an address while it moves: EC2 is asked in turn, and a client knocks all the time.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::sightings::{Attempt, Look};
use crate::base::deadline::Deadline;
use crate::params::Params;
use crate::resource::elastic;
use crate::resource::error::Error;
use crate::resource::{Action, Request};
use crate::world::RealWorld;

/// The longest that one look may take.
const LOOK_LIMIT: Duration = Duration::from_secs(5);
/// How often a client knocks.
const KNOCK_EVERY: Duration = Duration::from_millis(100);
/// How long it waits: less than the second after which the kernel sends its first packet again, because a second packet that
/// comes through does not mean that the first one did.
const KNOCK_LIMIT: Duration = Duration::from_millis(800);

/// What has been seen of one move so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The looks at EC2 that were answered.
    pub looks: Vec<Look>,
    /// Those that were not.
    pub unanswered: usize,
    /// The attempts of the client that have ended.
    pub attempts: Vec<Attempt>,
}

/// What is watched, and how.
pub(super) struct Watch<'a> {
    /// The world to ask EC2 in.
    pub world: &'a RealWorld,
    /// The parameters of the resource.
    pub params: &'a Params,
    /// The pause between two looks.
    pub poll: Duration,
    /// Where a client knocks, if it does.
    pub client: Option<(Ipv4Addr, u16)>,
}

impl Watch<'_> {
    /// Asks EC2 who holds the address, until it answers or the deadline comes.
    pub async fn look(&self, deadline: Deadline) -> Result<(Ipv4Addr, Option<String>), Error> {
        let request = Request {
            action: Action::Monitor { level: 10 },
            params: self.params.clone(),
            deadline,
            node: None,
        };
        let address = elastic::holder(self.world, &request).await?;
        Ok((address.public_ip, address.association.map(|association| association.to_string())))
    }

    /// Watches until it is dropped; what is seen goes into `seen`, with times from `began`.
    pub async fn watch(&self, began: Instant, seen: &RefCell<Seen>) {
        tokio::join!(self.look_on(began, seen), self.knock_on(began, seen));
    }

    async fn look_on(&self, began: Instant, seen: &RefCell<Seen>) {
        loop {
            let asked = began.elapsed();
            let next = Instant::now() + self.poll;
            match self.look(Deadline::new(Instant::now(), LOOK_LIMIT)).await {
                Ok((_, holder)) => {
                    seen.borrow_mut().looks.push(Look { asked, answered: began.elapsed(), holder });
                }
                Err(_) => seen.borrow_mut().unanswered += 1,
            }
            tokio::time::sleep_until(next).await;
        }
    }

    async fn knock_on(&self, began: Instant, seen: &RefCell<Seen>) {
        let Some((address, port)) = self.client else { return };
        let door = SocketAddr::from((address, port));
        let mut under_way = JoinSet::new();
        loop {
            under_way.spawn(async move {
                let began = began.elapsed();
                let came_through =
                    timeout(KNOCK_LIMIT, TcpStream::connect(door)).await.is_ok_and(|it| it.is_ok());
                Attempt { began, came_through }
            });
            tokio::time::sleep(KNOCK_EVERY).await;
            while let Some(ended) = under_way.try_join_next() {
                seen.borrow_mut().attempts.extend(ended.ok());
            }
        }
    }
}
