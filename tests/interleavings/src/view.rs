//! What one process on one node gets to see of AWS: calls that take time, come late, show the past, or never end.

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use eip::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, MacAddress};
use eip::cloud::{
    Address, Attachment, Ec2, Ec2Error, Ec2Fault, Imds, ImdsError, Interface, Selector, Subnet, Target,
};
use tokio::sync::{Notify, oneshot};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use crate::cloud::{self, Cloud, ELASTIC_IP, Held, NodeId};
use crate::plan::Weather;

/// The longest attempt of a question to the metadata service, as the agent's client has it.
const IMDS_ATTEMPT: Duration = Duration::from_secs(1);
/// Longer than any action.
const NEVER: Duration = Duration::from_hours(1);
/// How long an order that EC2 has accepted may take to take effect.
const LATE_MS: u64 = 3_000;
/// The longest attempt of a call to EC2, unless the action's time is short.
const EC2_ATTEMPT: Duration = Duration::from_secs(4);

/// What all nodes share.
#[derive(Debug, Default)]
pub struct World {
    /// The account.
    pub cloud: RefCell<Cloud>,
    /// Rules found broken while calls took effect.
    pub breaches: RefCell<Vec<String>>,
    random: RefCell<fastrand::Rng>,
    calm: Cell<bool>,
}

impl World {
    /// Makes a world whose times and faults are drawn from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: RefCell::new(fastrand::Rng::with_seed(seed)), ..Self::default() }
    }

    /// Ends all faults and delays, for good.
    pub fn calm_down(&self) {
        self.calm.set(true);
    }

    fn draw(&self, below: u64) -> u64 {
        self.random.borrow_mut().u64(0..below.max(1))
    }

    fn strikes(&self, of_a_hundred: u8) -> bool {
        !self.calm.get() && self.draw(100) < u64::from(of_a_hundred)
    }

    fn lag(&self, longest: Duration) -> Duration {
        if self.calm.get() { Duration::ZERO } else { longest }
    }

    /// Draws how long one way of a call takes.
    fn travel(&self, weather: &Weather) -> Duration {
        let longest = if self.strikes(weather.slow) { 6_000 } else { 40 };
        Duration::from_millis(self.draw(longest))
    }
}

/// A description of the address that arrived.
#[derive(Debug, Clone)]
pub struct Described {
    /// When EC2 made it.
    pub made: Duration,
    /// When it arrived.
    pub arrived: Duration,
    /// The association it shows.
    pub association: Option<AssociationId>,
}

/// What one action was told, as far as the rules ask for it.
// Each is a fact of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// It asked EC2.
    pub asked_ec2: bool,
    /// The call that it sent once more after IAM had denied it.
    pub asked_again: Option<&'static str>,
    /// The calls that IAM denied it.
    pub denied: Vec<&'static str>,
    /// EC2 described the address.
    pub by_ec2: bool,
    /// EC2 described it with another holder than this node, or none.
    pub ec2_denied: bool,
    /// EC2 described what was before.
    pub ec2_was_stale: bool,
    /// Each description of it that arrived.
    pub described: Vec<Described>,
    /// A question to the metadata service got no answer.
    pub imds_failed: bool,
    /// The metadata service showed it here.
    pub imds_showed: bool,
    /// The metadata service did not show it here.
    pub imds_denied: bool,
}

/// One process: the AWS that it sees, and the point at which it is killed.
#[derive(Debug)]
pub struct Process {
    /// The node it runs on.
    pub node: NodeId,
    /// The number of its action on that node.
    pub action: usize,
    /// Until when one attempt of a call may last.
    pub budget: Duration,
    /// After how many looks, orders and notes it is killed.
    pub kill_after: Option<usize>,
    /// What it was told.
    pub told: RefCell<Told>,
    done: Cell<usize>,
    dead: Cell<bool>,
    death: Notify,
}

impl Process {
    /// Makes a process that has done nothing yet.
    #[must_use]
    pub fn new(node: NodeId, action: usize, budget: Duration, kill_after: Option<usize>) -> Self {
        let (told, done, dead, death) = <_>::default();
        Self { node, action, budget, kill_after, told, done, dead, death }
    }

    /// Counts a step, and returns whether the process is still alive after it.
    pub fn lives(&self) -> bool {
        self.done.set(self.done.get() + 1);
        if self.kill_after.is_some_and(|limit| self.done.get() > limit) {
            self.dead.set(true);
            self.death.notify_one();
        }
        !self.dead.get()
    }

    /// Waits until the process is killed.
    pub async fn killed(&self) {
        self.death.notified().await;
    }

    /// Returns whether the process was killed.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.dead.get()
    }
}

/// AWS as a process sees it.
#[derive(Debug, Clone)]
pub struct View {
    world: Rc<World>,
    process: Rc<Process>,
    weather: Weather,
}

/// What becomes of a call to EC2.
enum Fate {
    Answered,
    LostBefore,
    LostAfter,
    GarbledAfter,
    AcceptedEarly,
    Refused(Ec2Fault),
}

impl View {
    /// Returns what `process` sees in this weather.
    #[must_use]
    pub fn new(world: &Rc<World>, process: &Rc<Process>, weather: &Weather) -> Self {
        Self { world: Rc::clone(world), process: Rc::clone(process), weather: weather.clone() }
    }

    fn fate(&self, operation: &'static str) -> Fate {
        if !self.world.strikes(self.weather.ec2_faults) {
            return Fate::Answered;
        }
        match self.world.draw(8) {
            0 => Fate::LostBefore,
            1 | 2 => Fate::LostAfter,
            3 => Fate::GarbledAfter,
            4 => Fate::AcceptedEarly,
            5 => Fate::Refused(Ec2Fault::Throttled),
            6 if operation != "DescribeAddresses" => Fate::Refused(Ec2Fault::Denied),
            _ => Fate::Refused(Ec2Fault::Silent),
        }
    }

    /// Makes one call. What it does at EC2 it does also when the caller is gone by then. Where EC2 may answer before it has done
    /// it, `early` is that answer.
    async fn call<T: 'static>(
        &self,
        operation: &'static str,
        object: String,
        early: Option<T>,
        effect: impl FnOnce(&Rc<World>) -> Result<T, Ec2Fault> + 'static,
    ) -> Result<T, Ec2Error> {
        if !self.process.lives() {
            std::future::pending::<()>().await;
        }
        let error = |fault: Ec2Fault| Ec2Error {
            fault,
            answer: format!("{fault:?}"),
            ..Ec2Error::cut_off(operation, &object)
        };
        self.note_call(operation);
        let (there, back, fate) =
            (self.world.travel(&self.weather), self.world.travel(&self.weather), self.fate(operation));
        let late = Duration::from_millis(self.world.draw(LATE_MS));
        let (answer, answered) = oneshot::channel();
        let world = Rc::clone(&self.world);
        spawn_local(async move {
            sleep(there).await;
            match (fate, early) {
                // The sender is kept, so that the caller waits in vain.
                (Fate::LostBefore, _) => sleep(NEVER).await,
                (Fate::LostAfter, _) => {
                    let _ = effect(&world);
                    sleep(NEVER).await;
                }
                (Fate::GarbledAfter, _) => {
                    let _ = effect(&world);
                    let _ = answer.send(Err(Ec2Fault::Silent));
                    return;
                }
                (Fate::Refused(fault), _) => {
                    let _ = answer.send(Err(fault));
                    return;
                }
                (Fate::AcceptedEarly, Some(early)) => {
                    let _ = answer.send(Ok(early));
                    sleep(late).await;
                    let _ = effect(&world);
                    return;
                }
                (Fate::Answered | Fate::AcceptedEarly, _) => {
                    let outcome = effect(&world);
                    sleep(back).await;
                    let _ = answer.send(outcome);
                    return;
                }
            }
            drop(answer);
        });
        let longest = EC2_ATTEMPT.min(self.process.budget / 4);
        match timeout(longest, answered).await {
            Ok(Ok(outcome)) => {
                if matches!(outcome, Err(Ec2Fault::Denied)) {
                    self.process.told.borrow_mut().denied.push(operation);
                }
                outcome.map_err(error)
            }
            Ok(Err(_)) | Err(_) => Err(error(Ec2Fault::Silent)),
        }
    }

    fn note_call(&self, operation: &'static str) {
        let mut told = self.process.told.borrow_mut();
        told.asked_ec2 = true;
        if told.denied.contains(&operation) {
            told.asked_again = Some(operation);
        }
    }

    async fn ask<T>(&self, path: &str, answer: impl FnOnce(&Self) -> T) -> Result<T, ImdsError> {
        if !self.process.lives() {
            std::future::pending::<()>().await;
        }
        if self.world.strikes(self.weather.imds_faults) {
            self.process.told.borrow_mut().imds_failed = true;
            if self.world.draw(2) == 0 {
                sleep(IMDS_ATTEMPT).await;
            }
            return Err(ImdsError::Silent { path: path.to_owned(), answer: "no answer".to_owned() });
        }
        sleep(Duration::from_millis(self.world.draw(4))).await;
        Ok(answer(self))
    }

    /// Returns what the metadata service shows: the address is here, or it is not.
    fn shown(&self) -> bool {
        let lag = self.world.lag(self.weather.imds_lag);
        let here = is_of(&self.world.cloud.borrow().held_before(lag), self.process.node);
        let mut told = self.process.told.borrow_mut();
        told.imds_showed |= here;
        told.imds_denied |= !here;
        here
    }
}

impl Ec2 for View {
    async fn prepare(&self) -> Result<(), Ec2Error> {
        Ok(())
    }

    async fn on_target(&self, _: &Target) -> Result<Vec<Address>, Ec2Error> {
        Ok(Vec::new())
    }

    async fn describe(&self, which: &Selector) -> Result<Address, Ec2Error> {
        let lag = self.world.lag(Duration::from_millis(
            self.world.draw(u64::try_from(self.weather.describe_lag.as_millis()).unwrap_or_default()),
        ));
        let known = match which {
            Selector::Allocation(id) => *id == cloud::allocation(),
            Selector::PublicIp(ip) => *ip == ELASTIC_IP,
        };
        let process = Rc::clone(&self.process);
        let held = self
            .call("DescribeAddresses", which.to_string(), None, move |world| {
                let (then, now) = (world.cloud.borrow().held_before(lag), world.cloud.borrow().held());
                if !known {
                    return Err(Ec2Fault::Unknown);
                }
                let mut told = process.told.borrow_mut();
                told.ec2_was_stale |= then.by != now.by;
                Ok((world.cloud.borrow().now(), then))
            })
            .await?;
        let (made, held) = held;
        let (arrived, association) =
            (self.world.cloud.borrow().now(), held.by.as_ref().map(|(_, id)| id.clone()));
        let mut told = self.process.told.borrow_mut();
        told.described.push(Described { made, arrived, association });
        told.by_ec2 = true;
        told.ec2_denied |= !is_of(&held, self.process.node);
        Ok(cloud::described(&held))
    }

    async fn associate(
        &self,
        allocation: &AllocationId,
        target: &Target,
        reassociate: bool,
    ) -> Result<AssociationId, Ec2Error> {
        let (known, to) = (*allocation == cloud::allocation(), cloud::node_at(target));
        let (action, sent) = (self.process.action, self.world.cloud.borrow().now());
        let id = self.world.cloud.borrow_mut().new_id();
        self.call("AssociateAddress", allocation.to_string(), Some(id.clone()), move |world| {
            let mut cloud = world.cloud.borrow_mut();
            let to = to.ok_or(Ec2Fault::Target)?;
            if !known {
                return Err(Ec2Fault::Unknown);
            }
            if cloud.held().by.is_some() && !reassociate {
                return Err(Ec2Fault::AlreadyAssociated);
            }
            cloud.associate(id.clone(), to, action, sent);
            Ok(id)
        })
        .await
    }

    async fn disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        let (wanted, node, action) = (association.clone(), self.process.node, self.process.action);
        let sent = self.world.cloud.borrow().now();
        self.call("DisassociateAddress", association.to_string(), None, move |world| {
            let held = world.cloud.borrow().held();
            match held.by {
                Some((holder, id)) if id == wanted => {
                    if holder != node {
                        let text = format!("node {node} took the address from node {holder} by a stop");
                        world.breaches.borrow_mut().push(text);
                    }
                    world.cloud.borrow_mut().disassociate(node, action, sent);
                    Ok(())
                }
                _ => Err(Ec2Fault::AssociationGone),
            }
        })
        .await
    }

    async fn may_associate(&self, allocation: &AllocationId, _: &Target) -> Result<(), Ec2Error> {
        self.call("AssociateAddress", allocation.to_string(), None, |_| Ok(())).await
    }

    async fn may_disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        self.call("DisassociateAddress", association.to_string(), None, |_| Ok(())).await
    }
}

impl Imds for View {
    async fn instance_id(&self) -> Result<InstanceId, ImdsError> {
        self.ask("instance-id", |view| cloud::instance(view.process.node)).await
    }

    async fn region(&self) -> Result<String, ImdsError> {
        self.ask("placement/region", |_| "eu-west-1".to_owned()).await
    }

    async fn account(&self) -> Result<String, ImdsError> {
        self.ask("owner-id", |_| "123456789012".to_owned()).await
    }

    async fn primary_mac(&self) -> Result<MacAddress, ImdsError> {
        self.ask("mac", |view| cloud::mac(view.process.node)).await
    }

    async fn macs(&self) -> Result<Vec<MacAddress>, ImdsError> {
        self.ask("macs/", |view| vec![cloud::mac(view.process.node)]).await
    }

    async fn interface(&self, mac: MacAddress) -> Result<Interface, ImdsError> {
        self.ask("interface-id", |view| Interface {
            mac,
            id: cloud::interface(view.process.node),
            private_ips: vec![cloud::private_ip(view.process.node)],
        })
        .await
    }

    async fn interface_id(&self, _: MacAddress) -> Result<InterfaceId, ImdsError> {
        self.ask("interface-id", |view| cloud::interface(view.process.node)).await
    }

    async fn attachment(&self, _: MacAddress) -> Result<Attachment, ImdsError> {
        self.ask("device-number", |_| Attachment { device_index: 0, network_card: 0 }).await
    }

    async fn subnet(&self, _: MacAddress) -> Result<Subnet, ImdsError> {
        self.ask("subnet-id", |view| cloud::subnet(view.process.node)).await
    }

    async fn association(&self, _: MacAddress, _: Ipv4Addr) -> Result<Vec<Ipv4Addr>, ImdsError> {
        self.ask("ipv4-associations", |view| {
            view.shown().then(|| cloud::private_ip(view.process.node)).into_iter().collect()
        })
        .await
    }

    async fn associations(&self, _: MacAddress) -> Result<Vec<(Ipv4Addr, Vec<Ipv4Addr>)>, ImdsError> {
        self.ask("ipv4-associations/", |view| {
            view.shown()
                .then(|| (ELASTIC_IP, vec![cloud::private_ip(view.process.node)]))
                .into_iter()
                .collect()
        })
        .await
    }
}

fn is_of(held: &Held, node: NodeId) -> bool {
    held.by.as_ref().is_some_and(|(holder, _)| *holder == node)
}
