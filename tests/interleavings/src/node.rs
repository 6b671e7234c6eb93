//! A node: its records, and the processes started on it one after another.

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use eip::base::deadline::Deadline;
use eip::base::log::Log;
use eip::cloud::model::{Account, ModelClient};
use eip::resource::fixtures::{MemoryLock, MemoryRecords, TestHost};
use eip::resource::{Action, Parts, Report};
use eip::state::{Durable, Records, Volatile};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::kinds::PlayedKind;
use crate::names::{NodeId, instance, mac, own_ip};
use crate::plan::{Deed, Step};

/// The longest attempt of a call to EC2, unless the action's time is short.
const EC2_ATTEMPT: Duration = Duration::from_secs(4);
/// The longest attempt of a question to the metadata service, as the agent's client has it.
const METADATA_ATTEMPT: Duration = Duration::from_secs(1);
/// The longest time that the metadata service takes for an answer.
const METADATA_WAY: Duration = Duration::from_millis(4);

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionOutcome {
    /// The process was killed.
    Killed,
    /// Done; for a monitor: the address is here.
    Done,
    /// The address is not here.
    NotHere,
    /// It failed, with this reason.
    Failed(String),
}

/// An action that was run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Where.
    pub node: NodeId,
    /// Its number on that node.
    pub number: usize,
    /// After how many boots.
    pub boot: u32,
    /// What was asked.
    pub deed: Deed,
    /// When it was called, counted from the beginning of the run.
    pub began: Duration,
    /// When it had its answer.
    pub ended: Duration,
    /// How long it was given.
    pub timeout: Duration,
    /// What came of it.
    pub outcome: ActionOutcome,
    /// Whether the host had what the kind needs there, before and after.
    pub on_host: bool,
}

/// One process: the point at which it is killed.
#[derive(Debug, Default)]
pub struct KillableProcess {
    kill_after: Option<usize>,
    done: Cell<usize>,
    dead: Cell<bool>,
    death: Notify,
}

impl KillableProcess {
    /// Counts a request or a note, and returns whether the process is still alive after it.
    fn lives(&self) -> bool {
        self.done.set(self.done.get() + 1);
        if self.kill_after.is_some_and(|limit| self.done.get() > limit) {
            self.dead.set(true);
            self.death.notify_one();
        }
        !self.dead.get()
    }
}

/// A node of the cluster.
#[derive(Debug)]
pub struct ModelNode {
    id: NodeId,
    kind: PlayedKind,
    account: Account,
    records: MemoryRecords,
    host: RefCell<TestHost>,
    boots: Cell<u32>,
    actions: Cell<usize>,
}

impl ModelNode {
    /// Makes a node that remembers nothing.
    pub fn new(id: NodeId, kind: PlayedKind, account: &Account) -> Self {
        let (records, boots, actions) = <_>::default();
        let host = RefCell::new(host(id, 0));
        Self { id, kind, account: account.clone(), records, host, boots, actions }
    }

    /// Takes over the records of another node, as what is made from an image of it has them.
    pub fn copy_from(&self, other: &Self) {
        *self.records.durable.borrow_mut() = other.records.durable();
    }

    /// Does one step and returns what came of it; `None` for a reboot.
    pub async fn take(&self, step: &Step) -> Option<Ran> {
        let action = match step.deed {
            Deed::Start => Action::Start,
            Deed::Stop => Action::Stop,
            Deed::Monitor => Action::Monitor { level: 0 },
            Deed::DeepMonitor => Action::Monitor { level: 10 },
            Deed::Probe => Action::Probe { level: 0 },
            Deed::MigrateTo => Action::MigrateTo,
            Deed::MigrateFrom => Action::MigrateFrom,
            Deed::Reboot | Deed::Image => {
                self.boots.set(self.boots.get() + 1);
                *self.host.borrow_mut() = host(self.id, self.boots.get());
                *self.records.volatile.borrow_mut() = Volatile::default();
                return None;
            }
        };
        let number = self.actions.get();
        self.actions.set(number + 1);
        let deadline = Deadline::new(Instant::now(), step.timeout);
        let process = Rc::new(KillableProcess { kill_after: step.kill_after, ..KillableProcess::default() });
        let gate = Rc::clone(&process);
        let client = ModelClient::new(&self.account, instance(self.id).as_str())
            .process(number)
            .attempt(EC2_ATTEMPT.min(deadline.budget() / 4))
            .metadata_attempt(METADATA_ATTEMPT, METADATA_WAY)
            .gated(move || gate.lives());
        let host = self.host.borrow().clone();
        let on_host = self.kind.is_on_host(&host);
        let parts = Parts {
            ec2: client.clone(),
            imds: client,
            host: host.clone(),
            records: Memory { process: Rc::clone(&process), records: self.records.clone() },
            log: Log::memory(),
        };
        let began = self.account.elapsed();
        let outcome = tokio::select! {
            biased;
            () = process.death.notified() => ActionOutcome::Killed,
            outcome = self.kind.run(&parts, action, deadline) => match outcome {
                // Killed by its very last step.
                _ if process.dead.get() => ActionOutcome::Killed,
                Ok(Report::Done) => ActionOutcome::Done,
                Ok(Report::NotHere(_)) => ActionOutcome::NotHere,
                Err(error) => ActionOutcome::Failed(error.to_string()),
            },
        };
        Some(Ran {
            node: self.id,
            number,
            boot: self.boots.get(),
            deed: step.deed,
            began,
            ended: self.account.elapsed(),
            timeout: step.timeout,
            outcome,
            on_host: on_host && self.kind.is_on_host(&host),
        })
    }
}

/// A host of the older kind, whose firmware does not know the instance, after this many boots.
fn host(node: NodeId, boots: u32) -> TestHost {
    let mut host = TestHost::new(node);
    host.boot = format!("boot {boots} of n{node}");
    host.network.plug("eth0", &mac(node), &[&own_ip(node)]);
    host
}

/// What a node remembers, in memory. A killed process writes no more.
#[derive(Debug)]
pub struct Memory {
    process: Rc<KillableProcess>,
    records: MemoryRecords,
}

impl Records for Memory {
    type Lock = MemoryLock;

    fn volatile(&self) -> Volatile {
        self.records.volatile()
    }

    fn update_volatile(&self, change: impl FnOnce(&mut Volatile)) {
        if self.process.lives() {
            self.records.update_volatile(change);
        }
    }

    fn durable(&self) -> Durable {
        self.records.durable()
    }

    fn update_durable(&self, change: impl FnOnce(&mut Durable)) {
        if self.process.lives() {
            self.records.update_durable(change);
        }
    }

    fn others(&self) -> Vec<(String, Self)> {
        let own = |records| Self { process: Rc::clone(&self.process), records };
        self.records.others().into_iter().map(|(name, records)| (name, own(records))).collect()
    }

    async fn lock(&self, place: Ipv4Addr, deadline: &Deadline) -> Option<MemoryLock> {
        self.records.lock(place, deadline).await
    }
}
