//! The events of a run: generated at random, shrunk by proptest if they violate a rule.

use std::fmt;
use std::time::Duration;

use eip::base::ids::InstanceId;
use eip::cloud::model::{Account, Fault, FaultKind, Journey, Lag, Reads, Service};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::names::{NodeId, VISITORS};

/// The longest usual way between a node and EC2, and the longest slow one.
const WAY: Duration = Duration::from_millis(40);
const SLOW_WAY: Duration = Duration::from_secs(6);
/// The calls that IAM may deny; a Describe that it denies is another rule's.
const MUTATING: [&str; 5] = [
    "AssociateAddress",
    "DisassociateAddress",
    "AssignPrivateIpAddresses",
    "UnassignPrivateIpAddresses",
    "ReplaceRoute",
];

/// What a node is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The agent's action of this name.
    Start,
    /// The agent's action of this name.
    Stop,
    /// A recurring monitor.
    Monitor,
    /// A recurring monitor that asks EC2 in any case.
    DeepMonitor,
    /// A monitor before anything was started.
    Probe,
    /// The two halves of a planned move.
    MigrateTo,
    /// The two halves of a planned move.
    MigrateFrom,
    /// The node loses power and comes back: what it knew until the next boot is gone.
    Reboot,
    /// The node is made anew from an image of the next one, whose records it has then.
    Image,
}

/// What an administrator does, whom no cluster knows of.
#[derive(Debug, Clone)]
pub struct Visit {
    /// How long after the one before.
    pub pause: Duration,
    /// Which of the administrator's own addresses.
    pub address: usize,
    /// The node on whose private address it is put, if it is; otherwise it is taken off.
    pub to: Option<NodeId>,
}

/// One thing a node does.
#[derive(Debug, Clone)]
pub struct Step {
    /// What.
    pub deed: Deed,
    /// How long after the one before.
    pub pause: Duration,
    /// The action's timeout.
    pub timeout: Duration,
    /// After how many of its looks and orders the process is killed, if it gets that far.
    pub kill_after: Option<usize>,
}

/// What goes wrong between a node and AWS.
#[derive(Debug, Clone)]
pub struct Weather {
    /// How far the metadata service is behind.
    pub imds_lag: Duration,
    /// How far each answer of a Describe is behind, at most: a later one may show an older state.
    pub describe_lag: Duration,
    /// Of a hundred calls to EC2, how many are lost or refused for the moment.
    pub ec2_faults: u8,
    /// Of a hundred questions to the metadata service, how many get no answer.
    pub imds_faults: u8,
    /// Of a hundred calls, how many take seconds.
    pub slow: u8,
}

impl Weather {
    /// Lets it befall the requests of one instance.
    pub(crate) fn strike(&self, account: &Account, instance: &InstanceId) {
        account.set_lag(Reads::MetadataOf(instance.clone()), Lag::Fixed(self.imds_lag));
        account.set_lag(Reads::DescribesOf(instance.clone()), Lag::UpTo(self.describe_lag));
        let journey = Journey { usual: Duration::ZERO..WAY, slow_percent: self.slow, slow: SLOW_WAY };
        account.set_journey(Some(instance), journey);
        let fault = |service, kind, percent| {
            account.fault(Fault::new(service, kind).instance(instance).percent(percent));
        };
        fault(Service::Imds, FaultKind::Hang, self.imds_faults / 2);
        fault(Service::Imds, FaultKind::Reset, self.imds_faults);
        let some = self.ec2_faults / 8;
        for operation in MUTATING {
            let denied = Fault::new(Service::Ec2, FaultKind::code("UnauthorizedOperation"));
            account.fault(denied.operation(operation).instance(instance).percent(some));
        }
        fault(Service::Ec2, FaultKind::Hang, some);
        fault(Service::Ec2, FaultKind::EffectThenHang, some * 2);
        fault(Service::Ec2, FaultKind::TruncatedXml, some);
        fault(Service::Ec2, FaultKind::LateEffect(Duration::from_millis(700)), some);
        fault(Service::Ec2, FaultKind::LateEffect(Duration::from_secs(3)), some);
        fault(Service::Ec2, FaultKind::Throttle, some);
        // What is left of the share: at 100 nothing gets through.
        fault(Service::Ec2, FaultKind::code("Unavailable"), if self.ec2_faults >= 100 { 100 } else { some });
    }
}

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What every time and every fault is drawn from.
    pub seed: u64,
    /// The weather of each node.
    pub weather: Vec<Weather>,
    /// The steps of each node, one after the other.
    pub steps: Vec<Vec<Step>>,
    /// What an administrator does meanwhile.
    pub visits: Vec<Visit>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        for (number, (weather, steps)) in self.weather.iter().zip(&self.steps).enumerate() {
            writeln!(f, "node {}: {weather:?}", number + 1)?;
            for step in steps {
                writeln!(f, "  {step:?}")?;
            }
        }
        self.visits.iter().try_for_each(|visit| writeln!(f, "administrator: {visit:?}"))
    }
}

fn visit(nodes: usize) -> impl Strategy<Value = Visit> {
    let last = NodeId::try_from(nodes).unwrap_or(NodeId::MAX);
    let to = prop_oneof![1 => Just(None), 4 => (1..=last).prop_map(Some)];
    (0..60_000_u64, 0..VISITORS.len(), to).prop_map(|(pause, address, to)| Visit {
        pause: Duration::from_millis(pause),
        address,
        to,
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Start),
        4 => Just(Deed::Stop),
        3 => Just(Deed::Monitor),
        1 => Just(Deed::DeepMonitor),
        2 => Just(Deed::Probe),
        1 => Just(Deed::MigrateTo),
        1 => Just(Deed::MigrateFrom),
        1 => Just(Deed::Reboot),
        1 => Just(Deed::Image),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let pause = prop_oneof![6 => 0..3_000_u64, 2 => 3_000..30_000_u64, 1 => 100_000..200_000_u64];
    let timeout = prop_oneof![Just(5_u64), Just(20), Just(60)];
    let kill = prop_oneof![4 => Just(None), 1 => (0..20_usize).prop_map(Some)];
    (deed(), pause, timeout, kill).prop_map(|(deed, pause, timeout, kill_after)| Step {
        deed,
        pause: Duration::from_millis(pause),
        timeout: Duration::from_secs(timeout),
        kill_after,
    })
}

fn weather() -> impl Strategy<Value = Weather> {
    // Within the settling window: beyond it the agent may believe the metadata.
    let imds_lag = prop_oneof![2 => Just(0_u64), 3 => 0..5_000_u64, 1 => 5_000..100_000_u64];
    // Under half the time of the shortest monitor, which is what EC2 and the metadata are given to agree.
    let describe_lag = prop_oneof![3 => Just(0_u64), 1 => 0..900_u64];
    let faults = || prop_oneof![3 => Just(0_u8), 2 => 0..40_u8, 1 => 40..=100_u8];
    (imds_lag, describe_lag, faults(), faults(), 0..30_u8).prop_map(
        |(imds_lag, describe_lag, ec2_faults, imds_faults, slow)| Weather {
            imds_lag: Duration::from_millis(imds_lag),
            describe_lag: Duration::from_millis(describe_lag),
            ec2_faults,
            imds_faults,
            slow,
        },
    )
}

/// A node displaces an address of the administrator, who then puts another one onto its place, and lets the resource be stopped.
#[derive(Debug, Clone)]
struct Displacement {
    node: usize,
    start: Step,
    stop: Step,
    visits: [Visit; 2],
}

impl Displacement {
    /// Makes it the beginning of a plan.
    fn begin(self, plan: &mut Plan) {
        if let Some(steps) = plan.steps.get_mut(self.node) {
            steps.splice(0..0, [self.start, self.stop]);
        }
        plan.visits.splice(0..0, self.visits);
    }
}

fn displacement(nodes: usize) -> impl Strategy<Value = Displacement> {
    // How long the start comes after the first visit, the second visit after that, and the stop later still: the node can know of
    // the second visit by then.
    let times = (1_000..8_000_u64, 2_000..10_000_u64, 5_000..40_000_u64);
    (0..nodes, 0..VISITORS.len(), times).prop_map(|(node, address, (start, visit, stop))| {
        let timeout = Duration::from_mins(1);
        let step =
            |deed, pause| Step { deed, pause: Duration::from_millis(pause), timeout, kill_after: None };
        let to = NodeId::try_from(node + 1).ok();
        let put = |pause, address| Visit { pause: Duration::from_millis(pause), address, to };
        Displacement {
            node,
            start: step(Deed::Start, start),
            stop: step(Deed::Stop, visit + stop),
            visits: [put(0, address), put(start + visit, (address + 1) % VISITORS.len())],
        }
    })
}

/// Returns plans for this many nodes.
pub fn plans(nodes: usize) -> impl Strategy<Value = Plan> {
    let visits = prop_oneof![1 => Just(Vec::new()), 1 => vec(visit(nodes), 1..4)];
    let displacement = prop_oneof![7 => Just(None), 1 => displacement(nodes).prop_map(Some)];
    (any::<u64>(), vec(weather(), nodes), vec(vec(step(), 1..8), nodes), visits, displacement).prop_map(
        |(seed, weather, steps, visits, displacement)| {
            let mut plan = Plan { seed, weather, steps, visits };
            if let Some(displacement) = displacement {
                displacement.begin(&mut plan);
            }
            plan
        },
    )
}
