//! The account as a process of the agent sees it: through calls that take time, fail, show the past, or never end.

use std::fmt;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::account::{ACCOUNT, Account, CallRecord, REGION, parsed};
use super::error::ApiError;
use super::faults::{FaultKind, Service, throttled};
use super::history::Caller;
use super::operations::{Operation, VPC};
use super::state::{Instance, NetworkInterface, Objects};
use crate::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, MacAddress, SubnetId};
use crate::cloud::ec2::codes::{answer_of, fault_of};
use crate::cloud::ec2::private_ips::{Eni, PrivateIps};
use crate::cloud::ec2::{Address, Ec2, Ec2Error, Ec2Fault, Selector, Target};
use crate::cloud::imds::{Attachment, Imds, ImdsError, Interface, Subnet, Vpc};

const METADATA: &str = "GET /latest/meta-data/";
/// Duration of a response at one byte per second.
const ANSWER: Duration = Duration::from_secs(1000);

/// EC2 and instance metadata for one process on an instance.
///
/// A request that was sent takes effect even if its caller is gone by then.
#[derive(Clone)]
pub struct ModelClient {
    account: Account,
    instance: InstanceId,
    process: usize,
    attempt: Option<Duration>,
    metadata_attempt: Option<Duration>,
    metadata_way: Duration,
    gate: Option<Rc<dyn Fn() -> bool>>,
    /// The account whose route tables it sees; `None` for the model's own.
    pub(super) routing_account: Option<String>,
}

impl fmt::Debug for ModelClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelClient")
            .field("instance", &self.instance)
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

/// What arrives at the caller.
enum Arrived<T> {
    Answer(Result<T, ApiError>),
    /// No response from the service.
    Not(Ec2Fault, String),
}

impl ModelClient {
    /// The client of process 0 on an instance, without a time limit of its own.
    pub fn new(account: &Account, instance: &str) -> Self {
        Self {
            account: account.clone(),
            instance: parsed(instance),
            process: 0,
            attempt: None,
            metadata_attempt: None,
            metadata_way: Duration::ZERO,
            gate: None,
            routing_account: None,
        }
    }

    /// Makes the calls about routes as a role in another account.
    #[must_use]
    pub fn routing_as(mut self, account: &str) -> Self {
        self.routing_account = Some(account.to_owned());
        self
    }

    /// Sets the process number, 0 by default; calls and changes are recorded under it.
    #[must_use]
    pub fn process(mut self, number: usize) -> Self {
        self.process = number;
        self
    }

    /// Limits each attempt of a call to EC2, as the agent's client does.
    #[must_use]
    pub fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = Some(limit);
        self
    }

    /// Limits each query of instance metadata, and sets the longest duration of a response.
    #[must_use]
    pub fn metadata_attempt(mut self, limit: Duration, way: Duration) -> Self {
        (self.metadata_attempt, self.metadata_way) = (Some(limit), way);
        self
    }

    /// Calls `gate` before each request; if it returns false, the request is never sent and never ends.
    #[must_use]
    pub fn gated(mut self, gate: impl Fn() -> bool + 'static) -> Self {
        self.gate = Some(Rc::new(gate));
        self
    }

    async fn pass_gate(&self) {
        if self.gate.as_ref().is_some_and(|gate| !gate()) {
            std::future::pending::<()>().await;
        }
    }

    /// Records a request. Returns its index in the record, its sender, and the fault that strikes it.
    fn send(&self, service: Service, operation: &str, object: &str) -> (usize, Caller, Option<FaultKind>) {
        // A dry run counts as the same action.
        let action = operation.split(" (").next().unwrap_or(operation);
        self.account.with(|state| {
            let by =
                Caller { instance: Some(self.instance.clone()), process: self.process, sent: state.now() };
            let place = state.put_on_record(CallRecord {
                service,
                operation: operation.to_owned(),
                object: object.to_owned(),
                by: by.clone(),
                served: None,
                seen: None,
                answered: None,
                failure: None,
            });
            (place, by, state.strike(service, action, Some(&self.instance)))
        })
    }

    fn arrived(&self, place: usize, failure: Option<&str>) {
        self.account.with(|state| {
            let now = state.now();
            if let Some(record) = state.record(place) {
                record.answered = Some(now);
                record.failure = failure.map(str::to_owned);
            }
        });
    }

    /// Makes one call. `deal` is the work of the service, with the delay before it takes effect; it returns the
    /// response, and notes which moment it shows.
    async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        object: String,
        deal: impl FnOnce(&Account, &Caller, Option<Duration>, &mut Option<Duration>) -> Result<T, ApiError>
        + Send
        + 'static,
    ) -> Result<T, Ec2Error> {
        self.pass_gate().await;
        let (place, by, fault) = self.send(Service::Ec2, operation, &object);
        let (answer, answered) = oneshot::channel();
        let (account, instance) = (self.account.clone(), self.instance.clone());
        let effect = {
            let account = account.clone();
            move |late: Option<Duration>| {
                account.admit(operation, true)?;
                let mut seen = None;
                let outcome = deal(&account, &by, late, &mut seen);
                account.with(|state| state.note_served(place, seen));
                outcome
            }
        };
        tokio::spawn(async move {
            let way = || account.with(|state| state.journey(&instance));
            let there = way();
            // Without latency requests arrive in the order of sending: tasks that yield resume in any order.
            if !there.is_zero() {
                sleep(there).await;
            }
            let arrived = carry_out(fault, effect).await;
            pause(way()).await;
            let _ = answer.send(arrived);
        });
        let wait = async { answered.await.unwrap_or_else(|_| silence("connection lost")) };
        let arrived = match self.attempt {
            None => wait.await,
            Some(limit) => timeout(limit, wait).await.unwrap_or_else(|_| silence("no answer in time")),
        };
        let (fault, answer, message) = match arrived {
            Arrived::Answer(Ok(value)) => {
                self.arrived(place, None);
                return Ok(value);
            }
            Arrived::Answer(Err(ApiError { status, code, message })) => {
                (fault_of(Some(&code), status, &message), answer_of(&code, &message), Some(message))
            }
            Arrived::Not(fault, what) => (fault, what, None),
        };
        self.arrived(place, Some(&answer));
        Err(Ec2Error { message, ..Ec2Error::new(operation, &object, fault, answer) })
    }

    /// Makes one call that reads; `read` is given the moment to show.
    pub(super) async fn described<T: Send + 'static>(
        &self,
        operation: &'static str,
        object: String,
        read: impl FnOnce(&Objects, Duration) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, Ec2Error> {
        self.call(operation, object, move |account, by, _, seen| {
            account.with(|state| {
                let moment = state.described_moment(by.instance.as_ref());
                *seen = Some(moment);
                read(&state.objects, moment)
            })
        })
        .await
    }

    /// Makes one mutating call. Returns the association that it makes or ends.
    pub(super) async fn change(
        &self,
        action: &'static str,
        object: String,
        operation: Operation,
    ) -> Result<Option<AssociationId>, Ec2Error> {
        self.call(action, object, move |account, by, late, _| {
            account.operate(by, &operation, false, late, |_| Ok(()))
        })
        .await
    }

    /// Makes the dry run of a call.
    pub(super) async fn may(
        &self,
        action: &'static str,
        object: String,
        operation: Operation,
    ) -> Result<(), Ec2Error> {
        let outcome = self.call(action, object, move |account, by, late, _| {
            account.operate(by, &operation, true, late, |_| Ok(()))
        });
        match outcome.await {
            Err(error) if error.answer != "DryRunOperation" => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Queries an item of instance metadata.
    async fn query_item<T>(
        &self,
        path: String,
        read: impl FnOnce(&Instance) -> Option<T>,
    ) -> Result<T, ImdsError> {
        self.pass_gate().await;
        let (place, _, fault) = self.send(Service::Imds, &format!("{METADATA}{path}"), "");
        let attempt = async {
            tokio::task::yield_now().await;
            let way = self.account.with(|state| self.metadata_way.mul_f64(state.random.f64()));
            pause(way).await;
            match fault {
                None | Some(FaultKind::LoseAnswer | FaultKind::LateEffect(_)) => {}
                Some(FaultKind::Delay(late)) => sleep(late).await,
                Some(FaultKind::Hang | FaultKind::EffectThenHang | FaultKind::Slow(_)) => {
                    std::future::pending::<()>().await;
                }
                Some(FaultKind::Error { status: 404, .. }) => {
                    return Err(ImdsError::Absent { path: path.clone() });
                }
                Some(FaultKind::Garbage | FaultKind::Empty) => return Err(ImdsError::garbled(&path, "")),
                Some(other) => {
                    let answer = format!("no answer: {}", other.name());
                    return Err(ImdsError::Silent { path: path.clone(), answer });
                }
            }
            let shown = self.account.with(|state| {
                let moment = state.metadata_moment(&self.instance);
                state.note_served(place, Some(moment));
                state.objects.instance_at(&self.instance, moment)
            });
            shown.as_ref().and_then(read).ok_or_else(|| ImdsError::Absent { path: path.clone() })
        };
        let outcome = match self.metadata_attempt {
            None => attempt.await,
            Some(limit) => timeout(limit, attempt).await.unwrap_or_else(|_| Err(ImdsError::cut_off(&path))),
        };
        self.arrived(place, outcome.as_ref().err().map(ToString::to_string).as_deref());
        outcome
    }

    /// Queries an item of an interface in instance metadata.
    async fn query_interface<T>(
        &self,
        mac: MacAddress,
        item: &str,
        read: impl FnOnce(&NetworkInterface) -> Option<T>,
    ) -> Result<T, ImdsError> {
        self.query_item(format!("network/interfaces/macs/{mac}/{item}"), |instance| {
            instance.interfaces.iter().find(|interface| interface.mac == mac).and_then(read)
        })
        .await
    }
}

/// Applies a fault to a call; `effect` is the work of the service, with the delay between response and effect.
async fn carry_out<T>(
    fault: Option<FaultKind>,
    effect: impl FnOnce(Option<Duration>) -> Result<T, ApiError>,
) -> Arrived<T> {
    match fault {
        None => Arrived::Answer(effect(None)),
        Some(FaultKind::Delay(delay)) => {
            sleep(delay).await;
            Arrived::Answer(effect(None))
        }
        Some(FaultKind::LateEffect(late)) => Arrived::Answer(effect(Some(late))),
        Some(FaultKind::Slow(rate)) => {
            let outcome = effect(None);
            sleep(ANSWER / rate.max(1)).await;
            Arrived::Answer(outcome)
        }
        Some(FaultKind::Error { status, code, message }) => {
            Arrived::Answer(Err(ApiError { status, code, message }))
        }
        Some(FaultKind::Throttle) => Arrived::Answer(Err(throttled(Service::Ec2))),
        Some(FaultKind::Hang) => std::future::pending().await,
        Some(FaultKind::EffectThenHang) => {
            let _ = effect(None);
            std::future::pending().await
        }
        Some(FaultKind::Reset | FaultKind::CloseBeforeAnswer | FaultKind::NotHttp) => {
            silence("connection lost")
        }
        Some(FaultKind::LoseAnswer) => {
            let _ = effect(None);
            silence("connection lost")
        }
        Some(FaultKind::Garbage | FaultKind::Empty) => unreadable(Ec2Fault::Silent, 200),
        Some(FaultKind::TruncatedXml | FaultKind::ShortBody) => {
            let _ = effect(None);
            unreadable(Ec2Fault::Silent, 200)
        }
        Some(FaultKind::HtmlProxy(status)) => unreadable(fault_of(None, status, ""), status),
    }
}

fn silence<T>(what: &str) -> Arrived<T> {
    Arrived::Not(Ec2Fault::Silent, what.to_owned())
}

fn unreadable<T>(fault: Ec2Fault, status: u16) -> Arrived<T> {
    Arrived::Not(fault, format!("an unreadable answer (HTTP {status})"))
}

/// Sleeping for zero time would still wait for the timer's next tick.
async fn pause(time: Duration) {
    if time.is_zero() {
        tokio::task::yield_now().await;
    } else {
        sleep(time).await;
    }
}

impl Ec2 for ModelClient {
    async fn prepare(&self) -> Result<(), Ec2Error> {
        self.call("credentials", String::new(), |_, _, _, _| Ok(())).await
    }

    async fn describe(&self, which: &Selector) -> Result<Address, Ec2Error> {
        let (object, which) = (which.to_string(), which.clone());
        self.described("DescribeAddresses", object, move |objects, moment| {
            objects.find_address(&which).map(|address| objects.address_at(address, moment))
        })
        .await
    }

    async fn on_target(&self, target: &Target) -> Result<Vec<Address>, Ec2Error> {
        let (object, target) = (target.to_string(), target.clone());
        self.described("DescribeAddresses", object, move |objects, moment| {
            let sitting = objects.sitting_at(&target, moment);
            Ok(sitting.map(|address| objects.address_at(address, moment)).into_iter().collect())
        })
        .await
    }

    async fn associate(
        &self,
        allocation: &AllocationId,
        target: &Target,
        reassociate: bool,
    ) -> Result<AssociationId, Ec2Error> {
        let operation = associate(allocation, target, reassociate);
        let made = self.change("AssociateAddress", allocation.to_string(), operation).await?;
        made.ok_or_else(|| Ec2Error::cut_off("AssociateAddress", allocation))
    }

    async fn disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        let operation = Operation::Disassociate(association.clone());
        self.change("DisassociateAddress", association.to_string(), operation).await.map(drop)
    }

    async fn may_associate(&self, allocation: &AllocationId, target: &Target) -> Result<(), Ec2Error> {
        let operation = associate(allocation, target, true);
        self.may("AssociateAddress (dry run)", allocation.to_string(), operation).await
    }

    async fn may_disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        let operation = Operation::Disassociate(association.clone());
        self.may("DisassociateAddress (dry run)", association.to_string(), operation).await
    }
}

fn associate(allocation: &AllocationId, target: &Target, may_move: bool) -> Operation {
    let Target { interface, private_ip } = target.clone();
    Operation::Associate {
        address: allocation.into(),
        eni: interface,
        private_ip: Some(private_ip),
        may_move,
    }
}

const DESCRIBE_INTERFACES: &str = "DescribeNetworkInterfaces";

impl PrivateIps for ModelClient {
    async fn interfaces(&self, ids: &[InterfaceId]) -> Result<Vec<Eni>, Ec2Error> {
        let (object, ids) = (ids.iter().map(InterfaceId::as_str).collect::<Vec<_>>().join(","), ids.to_vec());
        self.described(DESCRIBE_INTERFACES, object, move |objects, moment| {
            let found = ids.iter().map(|id| {
                objects.find_interface(id)?;
                Ok(objects.eni_at(id, moment))
            });
            Ok(found.collect::<Result<Vec<_>, ApiError>>()?.into_iter().flatten().collect())
        })
        .await
    }

    async fn holder(&self, ip: Ipv4Addr, subnet: &SubnetId) -> Result<Option<Eni>, Ec2Error> {
        let place = (subnet.clone(), ip);
        self.described(DESCRIBE_INTERFACES, ip.to_string(), move |objects, moment| {
            let holder = objects.private_ips.get(&place).and_then(|history| history.at(moment).as_ref());
            Ok(holder.and_then(|id| objects.eni_at(id, moment)))
        })
        .await
    }

    async fn interfaces_of(&self, instance: &InstanceId) -> Result<Vec<Eni>, Ec2Error> {
        let (object, instance) = (instance.to_string(), instance.clone());
        self.described(DESCRIBE_INTERFACES, object, move |objects, moment| {
            let instance = objects.instances.get(&instance);
            let ids = instance.into_iter().flat_map(|instance| instance.interfaces.at(moment));
            Ok(ids.filter_map(|id| objects.eni_at(id, moment)).collect())
        })
        .await
    }

    async fn assign(&self, to: &InterfaceId, ip: Ipv4Addr, reassign: bool) -> Result<(), Ec2Error> {
        let operation = Operation::Assign { eni: to.clone(), ip, may_move: reassign };
        self.change("AssignPrivateIpAddresses", format!("{ip} to {to}"), operation).await.map(drop)
    }

    async fn unassign(&self, from: &InterfaceId, ip: Ipv4Addr) -> Result<(), Ec2Error> {
        let operation = Operation::Unassign { eni: from.clone(), ip };
        self.change("UnassignPrivateIpAddresses", format!("{ip} from {from}"), operation).await.map(drop)
    }
}

impl Imds for ModelClient {
    async fn instance_id(&self) -> Result<InstanceId, ImdsError> {
        self.query_item("instance-id".to_owned(), |instance| Some(instance.id.clone())).await
    }

    async fn region(&self) -> Result<String, ImdsError> {
        self.query_item("placement/region".to_owned(), |_| Some(REGION.to_owned())).await
    }

    async fn account(&self) -> Result<String, ImdsError> {
        let mac = self.primary_mac().await?;
        self.query_interface(mac, "owner-id", |_| Some(ACCOUNT.to_owned())).await
    }

    async fn primary_mac(&self) -> Result<MacAddress, ImdsError> {
        self.query_item("mac".to_owned(), |instance| {
            instance.interfaces.first().map(|interface| interface.mac)
        })
        .await
    }

    async fn macs(&self) -> Result<Vec<MacAddress>, ImdsError> {
        self.query_item("network/interfaces/macs/".to_owned(), |instance| {
            Some(instance.interfaces.iter().map(|interface| interface.mac).collect())
        })
        .await
    }

    async fn interface(&self, mac: MacAddress) -> Result<Interface, ImdsError> {
        self.query_interface(mac, "interface-id", |interface| {
            let private_ips = interface.private_ips.clone();
            Some(Interface { mac, id: interface.eni.clone(), private_ips })
        })
        .await
    }

    async fn interface_id(&self, mac: MacAddress) -> Result<InterfaceId, ImdsError> {
        self.query_interface(mac, "interface-id", |interface| Some(interface.eni.clone())).await
    }

    async fn attachment(&self, mac: MacAddress) -> Result<Attachment, ImdsError> {
        self.query_interface(mac, "device-number", |interface| {
            Some(Attachment { device_index: interface.device_index, network_card: interface.network_card })
        })
        .await
    }

    async fn subnet(&self, mac: MacAddress) -> Result<Subnet, ImdsError> {
        let account = self.account.clone();
        self.query_interface(mac, "subnet-id", |interface| {
            let cidr = account.subnet_of(&interface.eni)?;
            Some(Subnet { id: interface.subnet.clone(), cidr: parsed(cidr.to_string()) })
        })
        .await
    }

    async fn vpc(&self, mac: MacAddress) -> Result<Vpc, ImdsError> {
        let ranges = self.account.vpc_ranges().into_iter().map(Into::into).collect();
        self.query_interface(mac, "vpc-id", |_| Some(Vpc { id: parsed(VPC), ranges })).await
    }

    async fn association(&self, mac: MacAddress, public_ip: Ipv4Addr) -> Result<Vec<Ipv4Addr>, ImdsError> {
        self.query_interface(mac, &format!("ipv4-associations/{public_ip}"), |interface| {
            let here = interface.public_ips.iter().filter(|(_, public)| **public == public_ip);
            Some(here.map(|(private, _)| *private).collect())
        })
        .await
    }

    async fn associations(&self, mac: MacAddress) -> Result<Vec<(Ipv4Addr, Vec<Ipv4Addr>)>, ImdsError> {
        self.query_interface(mac, "ipv4-associations/", |interface| {
            Some(interface.public_ips.iter().map(|(private, public)| (*public, vec![*private])).collect())
        })
        .await
    }
}
