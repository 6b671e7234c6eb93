//! A node: what it remembers, and one process after another that is started on it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eip::base::deadline::Deadline;
use eip::base::ids::{InstanceId, MacAddress};
use eip::base::log::Log;
use eip::host::Host;
use eip::params::Params;
use eip::resource::{Action, Parts, Report, Request, eip as resource};
use eip::state::{Durable, Records, Volatile};
use tokio::time::Instant;

use crate::cloud::{ELASTIC_IP, NodeId, mac};
use crate::plan::{Deed, Step, Weather};
use crate::view::{Process, Told, View, World};

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
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
    /// What was asked.
    pub deed: Deed,
    /// When it was called, counted from the beginning of the run.
    pub began: Duration,
    /// When it had its answer.
    pub ended: Duration,
    /// How long it was given.
    pub timeout: Duration,
    /// What came of it.
    pub outcome: Outcome,
    /// What it was told meanwhile.
    pub told: Told,
}

/// A node of the cluster.
#[derive(Debug)]
pub struct Node {
    id: NodeId,
    world: Rc<World>,
    weather: Weather,
    params: Params,
    volatile: Rc<RefCell<Volatile>>,
    durable: Rc<RefCell<Durable>>,
    boots: Cell<u32>,
    booted: Cell<Instant>,
    actions: Cell<usize>,
}

impl Node {
    /// Makes a node that remembers nothing.
    ///
    /// # Panics
    /// When the agent does not accept the parameters of this test.
    #[must_use]
    pub fn new(id: NodeId, world: &Rc<World>, weather: &Weather) -> Self {
        let raw = BTreeMap::from([("elastic_ip".to_owned(), ELASTIC_IP.to_string())]);
        let params = Params::parse(&raw).unwrap_or_else(|error| panic!("{error}"));
        let (volatile, durable, boots, actions) = <_>::default();
        let booted = Cell::new(Instant::now());
        Self {
            id,
            world: Rc::clone(world),
            weather: weather.clone(),
            params,
            volatile,
            durable,
            boots,
            booted,
            actions,
        }
    }

    /// Does one step and returns what came of it; nothing for a reboot.
    pub async fn take(&self, step: &Step) -> Option<Ran> {
        let action = match step.deed {
            Deed::Start => Action::Start,
            Deed::Stop => Action::Stop,
            Deed::Monitor => Action::Monitor { level: 0 },
            Deed::DeepMonitor => Action::Monitor { level: 10 },
            Deed::Probe => Action::Probe { level: 0 },
            Deed::MigrateTo => Action::MigrateTo,
            Deed::MigrateFrom => Action::MigrateFrom,
            Deed::Reboot => {
                self.boots.set(self.boots.get() + 1);
                self.booted.set(Instant::now());
                *self.volatile.borrow_mut() = Volatile::default();
                return None;
            }
        };
        let number = self.actions.get();
        self.actions.set(number + 1);
        let deadline = Deadline::new(Instant::now(), step.timeout);
        let process = Rc::new(Process::new(self.id, number, deadline.budget(), step.kill_after));
        let view = View::new(&self.world, &process, &self.weather);
        let world = Parts {
            ec2: view.clone(),
            imds: view,
            host: TestHost { node: self.id, boot: self.boots.get(), booted: self.booted.get() },
            records: Memory {
                process: Rc::clone(&process),
                volatile: Rc::clone(&self.volatile),
                durable: Rc::clone(&self.durable),
            },
            log: Log::memory(),
        };
        let request = Request { action, params: self.params.clone(), deadline, node: None };
        let began = self.world.cloud.borrow().now();
        let outcome = tokio::select! {
            biased;
            () = process.killed() => Outcome::Killed,
            outcome = resource::run(&world, &request) => match outcome {
                // Killed by its very last step.
                _ if process.is_dead() => Outcome::Killed,
                Ok(Report::Done) => Outcome::Done,
                Ok(Report::NotHere(_)) => Outcome::NotHere,
                Err(error) => Outcome::Failed(error.to_string()),
            },
        };
        let ended = self.world.cloud.borrow().now();
        let told = process.told.borrow().clone();
        Some(Ran {
            node: self.id,
            number,
            deed: step.deed,
            began,
            ended,
            timeout: step.timeout,
            outcome,
            told,
        })
    }
}

/// What a node remembers, in memory. A killed process writes no more.
struct Memory {
    process: Rc<Process>,
    volatile: Rc<RefCell<Volatile>>,
    durable: Rc<RefCell<Durable>>,
}

impl Records for Memory {
    fn volatile(&self) -> Volatile {
        self.volatile.borrow().clone()
    }

    fn set_volatile(&self, record: &Volatile) {
        if self.process.lives() {
            *self.volatile.borrow_mut() = record.clone();
        }
    }

    fn durable(&self) -> Durable {
        self.durable.borrow().clone()
    }

    fn set_durable(&self, record: &Durable) {
        if self.process.lives() {
            *self.durable.borrow_mut() = record.clone();
        }
    }

    fn others(&self) -> Vec<(String, Volatile)> {
        Vec::new()
    }
}

/// A host of the older kind, whose firmware does not know the instance; its clock is the test's.
struct TestHost {
    node: NodeId,
    boot: u32,
    booted: Instant,
}

impl Host for TestHost {
    fn mac_of(&self, device: &str) -> Option<MacAddress> {
        (device == "eth0").then(|| mac(self.node))
    }

    fn instance_id(&self) -> Option<InstanceId> {
        None
    }

    fn looks_like_ec2(&self) -> bool {
        true
    }

    fn node_name(&self) -> String {
        format!("n{}", self.node)
    }

    fn boot_id(&self) -> String {
        format!("boot {} of n{}", self.boot, self.node)
    }

    fn uptime(&self) -> Duration {
        self.booted.elapsed()
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }
}
