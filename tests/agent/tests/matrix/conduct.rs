//! Runs a case and examines the outcome.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use agent_tests::{
    AddressKind, Isolation, Run, RunOutcome, RunningAgent, TwoNodes, black_hole, mute, refusing,
};
use aws_sim::{Bind, CredState, Fault as Struck, ImdsState, LoggedRequest, Service, Tls, Validity};

use crate::case::{self, FaultTarget, LoggedCall, MatrixCase};
use crate::fault::{How, Length, Unresolved, Wrong};
use crate::name_server;
use crate::rules;
use crate::scene::{MatrixScene, Who};

/// The timeout of every action: long enough for several attempts, short enough for thousands of cases.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// How long a service that comes up later refuses connections.
const MOMENT: Duration = Duration::from_millis(500);

/// An agent's first request arrives within this time.
const PATIENCE: Duration = Duration::from_secs(3);

/// The port of a service that comes up later; each one has its own address.
const LATE_PORT: u16 = 29_981;

pub(crate) struct CaseOutcome {
    pub(crate) code: i32,
    pub(crate) took: Duration,
    pub(crate) holder: Who,
}

struct CaseNodes(TwoNodes);

/// The calls of a scene without faults.
pub(crate) fn calls(kind: &'static AddressKind, scene: &MatrixScene) -> Vec<LoggedCall> {
    let stage = CaseNodes::new(kind, scene, None);
    let outcome = stage.run(scene).go();
    let outcome = outcome.exits(scene.usual_code());
    assert_eq!(stage.holder(), scene.usual_holder(kind), "{} {}\n{}", kind.name, scene.name, outcome.told());
    case::distinct(&outcome.requests)
}

/// Runs one case and judges it; `None` if it needs privileges that this process lacks.
///
/// # Panics
/// If a rule is broken.
pub(crate) fn run(case: &MatrixCase) -> Option<CaseOutcome> {
    let isolation = match &case.fault.how {
        How::Name(_) => Some(Isolation::new("echo nameserver 127.0.0.1 >$FOLDER/resolv.conf")?),
        _ => None,
    };
    let stage = CaseNodes::new(case.kind, case.scene, isolation);
    let outcome = stage.strike(case);
    let holder = stage.holder();
    if let Err(rule) = rules::judge(case, &outcome, holder) {
        panic!("{rule}\nthe address: {:?}, then {holder:?}\n{}", case.scene.before, outcome.told());
    }
    Some(CaseOutcome { code: outcome.code, took: outcome.took, holder })
}

impl CaseNodes {
    fn new(kind: &'static AddressKind, scene: &MatrixScene, isolation: Option<Isolation>) -> Self {
        let nodes = isolation.map_or_else(|| kind.nodes(), |isolation| kind.nodes_inside(isolation));
        scene.prepare(&nodes);
        Self(nodes)
    }

    fn run(&self, scene: &MatrixScene) -> Run {
        let run = self.0.run(scene.run(&self.0.here));
        // The records are older than the run, by a varying time: a check is due each time, or never.
        let run = if self.0.kind.is_shown { run } else { run.param("route_check_interval", "0") };
        run.verbose().timeout_ms(u64::try_from(TIMEOUT.as_millis()).unwrap())
    }

    fn holder(&self) -> Who {
        match self.0.holder() {
            Some((instance, _)) if instance == *self.0.here.id() => Who::Here,
            Some(_) => Who::Peer,
            None => Who::NoNode,
        }
    }

    /// Runs the action with the fault in force.
    fn strike(&self, case: &MatrixCase) -> RunOutcome {
        let run = self.run(case.scene);
        let TwoNodes { world, here, .. } = &self.0;
        let (cloud, here) = (&world.cloud, here.id());
        let once = case.length != Length::ForEver;
        match (&case.fault.how, &case.target) {
            (How::Call(kind), FaultTarget::Call(call)) => {
                let fault = Struck::new(call.service, kind.clone()).exactly(&call.operation).skip(call.after);
                let fault = fault.instance(here);
                cloud.fault(case.length.times().into_iter().fold(fault, Struck::times));
                run.go()
            }
            (How::Refused, target) if once => {
                let late = late_address();
                let running = Self::find(target, run, late).spawn();
                thread::sleep(MOMENT.saturating_sub(running.elapsed()));
                let served = match target {
                    FaultTarget::Imds => world.sim.serve_imds(here, Bind::from(late)),
                    _ => world.sim.serve_ec2(Bind::from(late)),
                };
                assert_eq!(served.unwrap(), late);
                running.wait()
            }
            (How::Refused, target) => Self::find(target, run, refusing()).go(),
            (How::BlackHole, target) => Self::find(target, run, black_hole()).go(),
            (How::Mute, FaultTarget::Ec2) => run.ec2_at(format!("https://{}", mute())).go(),
            (How::Mute, target) => Self::find(target, run, mute()).go(),
            (How::Certificate(wrong), _) => self.certificate(run, *wrong, once).go(),
            (How::Name(fails), _) => self.name(run, *fails, case.length),
            (How::Imds(state), _) => {
                cloud.set_imds_state(here, *state);
                let struck = |r: &LoggedRequest| r.service == Service::Imds && r.fault.is_some();
                self.until(run.spawn(), once, struck, |stage| {
                    stage.0.world.cloud.set_imds_state(stage.0.here.id(), ImdsState::On);
                })
            }
            (How::Role(state), _) => {
                cloud.set_credentials(here, *state);
                let missing = *state == CredState::Missing404;
                let struck = move |r: &LoggedRequest| {
                    if missing {
                        r.operation.contains("security-credentials")
                    } else {
                        r.service != Service::Imds
                    }
                };
                self.until(run.spawn(), once, struck, |stage| {
                    stage.0.world.cloud.set_credentials(stage.0.here.id(), CredState::Valid);
                })
            }
            (How::Clock(ahead), _) => {
                cloud.set_clock_skew(*ahead);
                run.go()
            }
            (how, target) => panic!("{how:?} cannot be done to {target}"),
        }
    }

    /// Sets another address for EC2 or the metadata service.
    fn find(target: &FaultTarget, run: Run, addr: SocketAddr) -> Run {
        let url = format!("http://{addr}");
        if *target == FaultTarget::Imds { run.imds_at(url) } else { run.ec2_at(url) }
    }

    /// Ends a fault, if it is to end, when a request shows that it has struck.
    fn until(
        &self,
        running: RunningAgent,
        ends: bool,
        struck: impl FnMut(&LoggedRequest) -> bool,
        end: impl FnOnce(&Self),
    ) -> RunOutcome {
        if ends {
            // If it never strikes, the action did not need that call, which the rules judge.
            let _ = self.0.world.cloud.wait_for_request(PATIENCE, struck);
            end(self);
        }
        running.wait()
    }

    /// Puts EC2 behind a bad certificate, for ever or for the first connection.
    fn certificate(&self, run: Run, wrong: Wrong, once: bool) -> Run {
        let (names, validity) = match wrong {
            Wrong::Name => (["ec2.example"], Validity::Now),
            Wrong::Validity(validity) => (["localhost"], validity),
            Wrong::Issuer => (["localhost"], Validity::Now),
        };
        let (right, wrong_one) =
            (Tls::new(&["localhost"], Validity::Now).unwrap(), Tls::new(&names, validity).unwrap());
        let mut trusted = right.ca_pem().to_owned();
        if wrong != Wrong::Issuer {
            trusted.push_str(wrong_one.ca_pem());
        }
        let world = &self.0.world;
        let serve = |tls| world.sim.serve_ec2_tls(world.bind(), tls).unwrap();
        let bad = serve(&wrong_one);
        let addr = if once { crate::gate::open(bad, serve(&right)) } else { bad };
        let bundle = world.folder().write("ca.pem", &trusted);
        run.ec2_at(format!("https://localhost:{}", addr.port())).param("ca_bundle", bundle.display())
    }

    /// Gives EC2 a name that is not resolved, for ever or for the first query.
    fn name(&self, run: Run, fails: Unresolved, length: Length) -> RunOutcome {
        let isolation = self.0.world.isolation().expect("a name server of its own");
        name_server::serve(isolation.mute_udp("127.0.0.1:53"), fails, length.times());
        run.ec2_at(format!("http://ec2.example.net:{}", self.0.world.ec2.port())).go()
    }
}

/// A loopback address on which nothing has ever listened.
fn late_address() -> SocketAddr {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let part = |number: u32| u8::try_from(number % 250 + 1).expect("below 256");
    // Different from those of a concurrent run of this test.
    let process = part(std::process::id());
    (Ipv4Addr::new(127, process, part(number / 250), part(number)), LATE_PORT).into()
}
