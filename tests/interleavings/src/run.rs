//! Runs a plan, and then checks what every node must be able to do once all is well.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use eip::cloud::model::{Account, Journey, Lag, Reads};
use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::kinds::PlayedKind;
use crate::names::{NodeId, VISITORS, account, instance, own_ip};
use crate::node::{ActionOutcome, ModelNode, Ran};
use crate::plan::{Deed, Plan, Step};
use crate::rules;
use crate::told::Told;

/// Longer than the settling window.
const PEACE: Duration = Duration::from_mins(5);
/// Longer than every call under way, and nothing else is waited for: what was killed may have left a settling window behind.
const LAST_CALLS: Duration = Duration::from_secs(20);
/// As the meta-data advises.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What came of a run.
#[derive(Debug, Default)]
pub struct RunSummary {
    /// The rules that were broken, in words.
    pub breaches: Vec<String>,
    /// How many actions ran.
    pub actions: usize,
    /// How many of them were killed.
    pub killed: usize,
}

/// Plays a plan with a kind of address.
///
/// # Panics
/// When no runtime can be made.
pub fn run(kind: PlayedKind, plan: &Plan) -> RunSummary {
    // The agent draws its pauses from here.
    fastrand::seed(plan.seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap_or_else(|error| panic!("no runtime: {error}"));
    LocalSet::new().block_on(&runtime, play(kind, plan))
}

async fn play(kind: PlayedKind, plan: &Plan) -> RunSummary {
    let account = account(plan.seed, NodeId::try_from(plan.steps.len()).unwrap_or(NodeId::MAX));
    let all = Rc::new(RefCell::new(Vec::new()));
    let mut nodes = Vec::new();
    for (id, weather) in (1..).zip(&plan.weather) {
        weather.strike(&account, &instance(id));
        nodes.push((id, Rc::new(ModelNode::new(id, kind, &account))));
    }
    let mut breaches = Vec::new();
    let mut tasks = Vec::new();
    for ((_, node), steps) in nodes.iter().zip(&plan.steps) {
        let (node, steps, all) = (Rc::clone(node), steps.clone(), Rc::clone(&all));
        let next = nodes.iter().cycle().skip_while(|(_, other)| !Rc::ptr_eq(other, &node)).nth(1);
        let next = next.map(|(_, next)| Rc::clone(next));
        tasks.push(tokio::task::spawn_local(async move {
            for step in &steps {
                sleep(step.pause).await;
                if let (Deed::Image, Some(next)) = (step.deed, &next) {
                    node.copy_from(next);
                }
                let ran = node.take(step).await;
                all.borrow_mut().extend(ran);
            }
        }));
    }
    for visit in &plan.visits {
        sleep(visit.pause).await;
        if let Some(ip) = VISITORS.get(visit.address) {
            match visit.to {
                Some(node) => drop(account.give(ip, &own_ip(node))),
                None => account.disassociate(ip),
            }
        }
    }
    for task in tasks {
        if let Err(error) = task.await {
            breaches.push(format!("a step ended in a panic: {error}"));
        }
    }
    let records = account.records();
    breaches.extend(aftermath(kind, &account, &nodes).await);

    let all = all.borrow();
    let history = kind.history(&account);
    for ran in all.iter() {
        let told = Told::of(kind, ran.node, ran.number, &records, &history);
        breaches.extend(rules::breaches(kind, ran, &told, &all, &history));
        for ip in VISITORS {
            breaches.extend(rules::harm(ran, &PlayedKind::elastic_history(&account, ip)));
        }
    }
    let killed = all.iter().filter(|ran| ran.outcome == ActionOutcome::Killed).count();
    RunSummary { breaches, actions: all.len(), killed }
}

/// Once all is well, whatever has happened: every node lets go, every node takes over, and all of them know it.
async fn aftermath(kind: PlayedKind, account: &Account, nodes: &[(NodeId, Rc<ModelNode>)]) -> Vec<String> {
    let mut breaches = Vec::new();
    let holder = || kind.history(account).last().and_then(|held| held.by);
    account.clear_faults();
    for (id, _) in nodes {
        account.set_journey(Some(&instance(*id)), Journey::of(Duration::ZERO));
    }
    for reads in [Reads::Describes, Reads::Metadata] {
        account.set_lag(reads, Lag::None);
    }
    sleep(LAST_CALLS).await;
    for (id, node) in nodes {
        expect(&mut breaches, node, Deed::Stop, &ActionOutcome::Done).await;
        if kind.is_released_by_a_stop() && holder() == Some(*id) {
            breaches.push(format!("node {id} holds the address after a stop with all well"));
        }
    }
    if let Some(id) = holder().filter(|_| kind.is_released_by_a_stop()) {
        breaches.push(format!("node {id} holds the address after every node has stopped"));
    }
    for (id, node) in nodes {
        expect(&mut breaches, node, Deed::Start, &ActionOutcome::Done).await;
        for pause in [Duration::ZERO, PEACE] {
            sleep(pause).await;
            for (other, looking) in nodes {
                let expected = if other == id { ActionOutcome::Done } else { ActionOutcome::NotHere };
                expect(&mut breaches, looking, Deed::Monitor, &expected).await;
                expect(&mut breaches, looking, Deed::Probe, &expected).await;
                if other != id {
                    expect(&mut breaches, looking, Deed::Stop, &ActionOutcome::Done).await;
                }
                if holder() != Some(*id) {
                    breaches.push(format!("node {id} has lost the address with all well"));
                }
            }
        }
    }
    breaches
}

async fn expect(breaches: &mut Vec<String>, node: &ModelNode, deed: Deed, expected: &ActionOutcome) {
    let step = Step { deed, pause: Duration::ZERO, timeout: TIMEOUT, kill_after: None };
    let ran: Option<Ran> = node.take(&step).await;
    if ran.as_ref().map(|ran| &ran.outcome) != Some(expected) {
        breaches.push(format!("with all well, {expected:?} was expected of {ran:?}"));
    }
}
