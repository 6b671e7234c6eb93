//! The four rules of docs/behaviour.md ("The target is protected too", "One EC2 response is one witness", records of an instance,
//! opaque ids), for every kind of address, against the model of EC2 with its lag. Each test is a situation that was wrong once.

// Test code: it fails by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::elastic::{self, Elastic};
use super::error::{Attempt, Error, exit_code};
use super::fixtures::{MemoryRecords, TestHost};
use super::kind::Kind;
use super::private::Private;
use super::{Action, Parts, Report, Request, run};
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::cloud::model::{
    Account, Fault, FaultKind, InstanceSpec, InterfaceSpec, Lag, ModelClient, Reads, Service,
};
use crate::ocf::exit::ExitCode;
use crate::state::{Pair, Phase, Records as _};

const EIP: &str = "203.0.113.10";
const ALLOCATION: &str = "eipalloc-00000000000000010";
const OTHER: &str = "203.0.113.99";
const ADMIN: &str = "203.0.113.55";
const VIP: &str = "10.0.0.100";
const OWN: &str = "10.0.0.1";

type Real = Parts<ModelClient, ModelClient, TestHost, MemoryRecords>;

/// A kind of address, as far as the situations must tell one from another.
trait Tested: Kind<Real> {
    const NAME: &'static str;
    /// The taking call as the model counts it.
    const TAKING: &'static str;
    /// The parameter that forbids to take the address from a holder.
    const MAY_TAKE: &'static str;
    /// The releasing call as the model counts it.
    const RELEASING: &'static str;
    /// The value of `on_stop` that releases, as far as EC2 answers.
    const RELEASES: &'static str;
    /// Gives the address to a node, as an administrator would.
    fn give(account: &Account, number: u8);
    /// Takes the address from whoever has it, as an administrator would.
    fn take_away(account: &Account);
    fn holder(account: &Account) -> Option<String>;
}

impl Tested for Elastic {
    const NAME: &'static str = "elastic_ip";
    const TAKING: &'static str = "AssociateAddress";
    const MAY_TAKE: &'static str = "allow_reassociation";
    const RELEASING: &'static str = "DisassociateAddress";
    const RELEASES: &'static str = "disassociate";
    fn give(account: &Account, number: u8) {
        account.give(EIP, &format!("10.0.0.{number}"));
    }
    fn take_away(account: &Account) {
        account.disassociate(EIP);
    }
    fn holder(account: &Account) -> Option<String> {
        account.holder(EIP).map(|holder| holder.eni.to_string())
    }
}

impl Tested for Private {
    const NAME: &'static str = "secondary_private_ip";
    const TAKING: &'static str = "AssignPrivateIpAddresses";
    const MAY_TAKE: &'static str = "allow_reassignment";
    const RELEASING: &'static str = "UnassignPrivateIpAddresses";
    const RELEASES: &'static str = "unassign";
    fn give(account: &Account, number: u8) {
        account.assign_private_ip(&eni(number).parse().unwrap(), VIP.parse().unwrap());
    }
    fn take_away(account: &Account) {
        account.unassign_private_ip(VIP.parse().unwrap());
    }
    fn holder(account: &Account) -> Option<String> {
        account.private_holder(VIP.parse().unwrap()).map(|(_, eni)| eni.to_string())
    }
}

fn eni(number: u8) -> String {
    format!("eni-{number:017x}")
}

fn instance(number: u8) -> String {
    format!("i-{number:017x}")
}

fn account() -> Account {
    let account = Account::default();
    account.add_instance(InstanceSpec::numbered(1, &[OWN, "10.0.0.51"]));
    account.add_instance(InstanceSpec::numbered(2, &["10.0.0.2"]));
    account.allocate_as(EIP, ALLOCATION);
    account.allocate_as(OTHER, "eipalloc-00000000000000099");
    account.allocate_as(ADMIN, "eipalloc-00000000000000055");
    account
}

/// A resource on a node.
struct Resource<K> {
    account: Account,
    world: Real,
    raw: BTreeMap<String, String>,
    kind: std::marker::PhantomData<K>,
}

impl<K: Tested> Resource<K> {
    fn on(account: &Account, number: u8) -> Self {
        let client = ModelClient::new(account, &instance(number));
        let host = TestHost::new(number);
        let mac = format!("02:00:00:00:00:{number:02x}");
        host.network.plug("eth0", &mac, &[&format!("10.0.0.{number}")]);
        let world = Parts {
            ec2: client.clone(),
            imds: client,
            host,
            records: MemoryRecords::default(),
            log: Log::memory(),
        };
        let value = if K::NAME == "elastic_ip" { EIP } else { VIP };
        let raw = BTreeMap::from([(K::NAME.to_owned(), value.to_owned())]);
        Self { account: account.clone(), world, raw, kind: std::marker::PhantomData }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.raw.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Makes two resources of one node know each other.
    fn beside<L: Tested>(self, name: &str, other: &Resource<L>) -> Self {
        self.world.records.others.borrow_mut().push((name.to_owned(), other.world.records.clone()));
        let mut records = self.world.records.clone();
        records.locked = other.world.records.locked.clone();
        Self { world: Parts { records, host: other.world.host.clone(), ..self.world }, ..self }
    }

    async fn run(&self, action: Action) -> Result<Report, Error> {
        let deadline = Deadline::new(Instant::now(), Duration::from_secs(20));
        let request = Request { action, params: K::parse(&self.raw).unwrap(), deadline, nodes: Vec::new() };
        run::<K, _>(&self.world, &request).await
    }

    async fn start(&self) -> Result<Report, Error> {
        self.run(Action::Start).await
    }

    async fn stop(&self) -> Result<Report, Error> {
        self.run(Action::Stop).await
    }

    async fn monitor(&self) -> Result<Report, Error> {
        self.run(Action::Monitor { level: 0 }).await
    }

    async fn started(self) -> Self {
        assert_eq!(self.start().await.unwrap(), Report::Done);
        self
    }

    async fn settled(self) -> Self {
        let this = self.started().await;
        tokio::time::advance(Duration::from_secs(130)).await;
        this
    }

    fn holds(&self, number: u8) -> bool {
        K::holder(&self.account) == Some(eni(number))
    }
}

fn place(account: &Account, ip: &str) -> Option<String> {
    account.place(ip)
}

/// [stale-1]
async fn the_first_monitor_after_a_start_is_told_by_two_late_witnesses<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let node = Resource::<K>::on(&account, 1);
    tokio::time::advance(Duration::from_mins(10)).await;
    account.freeze(Reads::Metadata);
    let node = node.started().await;
    account.set_lag(Reads::Describes, Lag::Fixed(Duration::from_secs(12)));
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "{}", K::NAME);
}

#[tokio::test(start_paused = true)]
async fn a_monitor_right_after_a_start_outlasts_late_metadata_and_a_late_replica() {
    the_first_monitor_after_a_start_is_told_by_two_late_witnesses::<Elastic>().await;
    the_first_monitor_after_a_start_is_told_by_two_late_witnesses::<Private>().await;
}

/// [stale-1] keepalived's check.
#[tokio::test(start_paused = true)]
async fn a_check_right_after_a_start_outlasts_late_metadata_and_a_late_replica() {
    let account = account();
    account.give(EIP, "10.0.0.2");
    tokio::time::advance(Duration::from_mins(10)).await;
    account.freeze(Reads::Metadata);
    let node = Resource::<Elastic>::on(&account, 1).started().await;
    account.set_lag(Reads::Describes, Lag::Fixed(Duration::from_secs(5)));
    let deadline = Deadline::new(Instant::now(), Duration::from_secs(20));
    let params = <Elastic as Kind<Real>>::parse(&node.raw).unwrap();
    let request = Request { action: Action::Monitor { level: 0 }, params, deadline, nodes: Vec::new() };
    assert_eq!(elastic::is_still_here(&node.world, &request).await.unwrap(), Report::Done);
}

/// [stale-1] An association that this node has not seen is news, however soon after the start.
#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_the_address_right_after_a_start_is_believed_at_once() {
    let account = account();
    account.give(EIP, "10.0.0.2");
    let node = Resource::<Elastic>::on(&account, 1).started().await;
    account.give(EIP, "10.0.0.2");
    let began = Instant::now();
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

/// [stale-3]
async fn a_stop_right_after_a_start_releases_what_replicas_do_not_show_yet<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    tokio::time::advance(Duration::from_mins(10)).await;
    account.freeze(Reads::Metadata);
    let node = Resource::<K>::on(&account, 1).started().await;
    account.set_lag(Reads::Describes, Lag::Fixed(Duration::from_secs(6)));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(K::holder(&account), None, "{}", K::NAME);
}

#[tokio::test(start_paused = true)]
async fn a_stop_right_after_a_start_leaves_nothing_assigned_behind_a_late_replica() {
    a_stop_right_after_a_start_releases_what_replicas_do_not_show_yet::<Elastic>().await;
    a_stop_right_after_a_start_releases_what_replicas_do_not_show_yet::<Private>().await;
}

/// [stale-5]
async fn a_start_is_not_fooled_by_stale_answers_that_show_the_address_here<K: Tested>() {
    for by_monitor in [false, true] {
        let account = account();
        let node = Resource::<K>::on(&account, 1).settled().await;
        if by_monitor {
            K::give(&account, 2);
            assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
            K::give(&account, 1);
        } else {
            K::give(&account, 2);
            assert_eq!(node.stop().await.unwrap(), Report::Done);
            K::give(&account, 1);
        }
        tokio::time::advance(Duration::from_mins(10)).await;
        account.freeze(Reads::Metadata);
        account.pin(Reads::Describes, 2);
        K::give(&account, 2);
        assert_eq!(node.start().await.unwrap(), Report::Done);
        assert!(node.holds(1), "{} after a monitor: {by_monitor}", K::NAME);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_two_stale_answers_show_in_place_takes_the_address_all_the_same() {
    a_start_is_not_fooled_by_stale_answers_that_show_the_address_here::<Elastic>().await;
    a_start_is_not_fooled_by_stale_answers_that_show_the_address_here::<Private>().await;
}

/// [stale-5] EC2 knows better than metadata that show the address where it was, and then the taking call gets no answer.
async fn a_start_that_ec2_left_without_an_answer_is_no_success<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).started().await;
    tokio::time::advance(Duration::from_mins(1)).await;
    account.freeze(Reads::Metadata);
    K::give(&account, 2);
    account.fail(K::TAKING, FaultKind::code("Unavailable"));
    let outcome = node.start().await;
    assert!(outcome.is_err(), "{}: {outcome:?}", K::NAME);
    assert!(node.holds(2), "{}", K::NAME);
}

#[tokio::test(start_paused = true)]
async fn a_start_without_an_answer_is_no_success_because_late_metadata_show_the_address() {
    a_start_that_ec2_left_without_an_answer_is_no_success::<Elastic>().await;
    a_start_that_ec2_left_without_an_answer_is_no_success::<Private>().await;
}

/// [displaced-3]
#[tokio::test(start_paused = true)]
async fn a_denied_call_that_restores_an_address_is_repeated_once() {
    let account = account();
    account.give(OTHER, OWN);
    let node = Resource::<Elastic>::on(&account, 1).settled().await;
    account.fail("AssociateAddress", FaultKind::code("UnauthorizedOperation"));
    account.clear_calls();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    let calls = account.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("AssociateAddress")).count(), 2, "{calls:?}");
}

/// [stale-7]
#[tokio::test(start_paused = true)]
async fn a_stop_whose_stale_association_is_not_found_ends_the_real_one() {
    for on_stop in ["disassociate", "strict"] {
        let account = account();
        let node = Resource::<Elastic>::on(&account, 1).with("on_stop", on_stop).settled().await;
        account.pin(Reads::Describes, 1);
        account.give(EIP, OWN);
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{on_stop}");
        assert_eq!(account.holder(EIP), None, "{on_stop}");
    }
}

/// [record-4], [target-2]
#[tokio::test(start_paused = true)]
async fn the_stop_of_a_node_made_from_an_image_leaves_the_originals_interface_alone() {
    let account = account();
    account.give(OTHER, OWN);
    let original = Resource::<Elastic>::on(&account, 1).started().await;
    assert_eq!(original.world.records.durable().displaced.len(), 1);
    let copy = Resource::<Elastic>::on(&account, 2);
    *copy.world.records.durable.borrow_mut() = original.world.records.durable();
    assert_eq!(copy.stop().await.unwrap(), Report::Done);
    assert!(original.holds(1));
    assert_eq!(place(&account, OTHER), None);
}

/// [target-2]
#[tokio::test(start_paused = true)]
async fn a_displaced_address_stays_away_from_a_place_that_an_administrator_has_used_meanwhile() {
    let account = account();
    account.give(OTHER, OWN);
    let node = Resource::<Elastic>::on(&account, 1).settled().await;
    account.give(EIP, "10.0.0.2");
    account.give(ADMIN, OWN);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(place(&account, ADMIN).as_deref(), Some(OWN));
    assert_eq!(place(&account, OTHER), None);
    assert_eq!(node.world.records.durable().displaced, [], "said once");
}

/// [target-3], [target-4]
#[tokio::test(start_paused = true)]
async fn a_slow_call_that_restores_an_address_cannot_displace_what_is_started_after_the_stop() {
    let account = account();
    account.give(OTHER, OWN);
    let node = Resource::<Elastic>::on(&account, 1).settled().await;
    account.fail_once("AssociateAddress", FaultKind::Delay(Duration::from_secs(5)));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(place(&account, OTHER).as_deref(), Some(OWN), "the call was awaited");
    let node = node.started().await;
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(node.holds(1));
}

/// [target-3] [target-5] The same with another resource of the node.
#[tokio::test(start_paused = true)]
async fn a_start_waits_for_the_call_that_another_resource_has_in_flight_for_its_place() {
    let account = account();
    account.give(OTHER, OWN);
    let first = Resource::<Elastic>::on(&account, 1).settled().await;
    account.allocate_as("203.0.113.11", "eipalloc-00000000000000011");
    let second =
        Resource::<Elastic>::on(&account, 1).with("elastic_ip", "203.0.113.11").beside("first", &first);
    account.fail_once("AssociateAddress", FaultKind::Delay(Duration::from_secs(4)));
    let later = async {
        // The stop has released its own address and is restoring the other by now.
        while account.holder(EIP).is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        second.start().await
    };
    let (stopped, started) = tokio::join!(first.stop(), later);
    assert_eq!((stopped.unwrap(), started.unwrap()), (Report::Done, Report::Done));
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(place(&account, "203.0.113.11").as_deref(), Some(OWN));
}

/// [displaced-2]
#[tokio::test(start_paused = true)]
async fn a_displaced_address_is_remembered_by_a_start_without_metadata() {
    let account = account();
    account.give(OTHER, OWN);
    let node = Resource::<Elastic>::on(&account, 1).settled().await;
    node.stop().await.unwrap();
    assert_eq!(place(&account, OTHER).as_deref(), Some(OWN));
    tokio::time::advance(Duration::from_mins(5)).await;
    account.fail_metadata(FaultKind::Reset);
    let node = node.started().await;
    assert_eq!(place(&account, OTHER), None);
    account.clear_faults();
    node.stop().await.unwrap();
    assert_eq!(place(&account, OTHER).as_deref(), Some(OWN));
}

/// [displaced-2]
#[tokio::test(start_paused = true)]
async fn a_displaced_address_is_remembered_when_two_resources_take_turns_on_its_place() {
    let account = account();
    account.give(OTHER, OWN);
    let first = Resource::<Elastic>::on(&account, 1).settled().await;
    account.allocate_as("203.0.113.11", "eipalloc-00000000000000011");
    let second =
        Resource::<Elastic>::on(&account, 1).with("elastic_ip", "203.0.113.11").beside("first", &first);
    let id = account.fail("AssociateAddress", FaultKind::code("UnauthorizedOperation"));
    first.stop().await.unwrap();
    account.clear_fault(id);
    let second = second.settled().await;
    assert_eq!(place(&account, OTHER), None);
    second.stop().await.unwrap();
    assert_eq!(place(&account, OTHER).as_deref(), Some(OWN));
}

/// [target-7]
#[tokio::test(start_paused = true)]
async fn the_address_of_another_cluster_resource_is_not_displaced_after_a_boot() {
    let account = account();
    account.give(OTHER, OWN);
    let neighbour = Resource::<Elastic>::on(&account, 1);
    neighbour.world.records.durable.borrow_mut().pair = Some(Pair {
        public_ip: OTHER.parse().unwrap(),
        allocation: "eipalloc-00000000000000099".parse().unwrap(),
        region: None,
    });
    let node = Resource::<Elastic>::on(&account, 1).beside("neighbour", &neighbour).started().await;
    assert_eq!(node.world.records.durable().displaced, []);
    node.stop().await.unwrap();
    assert_eq!(place(&account, OTHER), None);
}

/// [start-8]
#[tokio::test(start_paused = true)]
async fn without_reassociation_a_wrong_private_address_of_this_node_is_corrected_with_and_without_a_record() {
    for on_record in [false, true] {
        let account = account();
        account.give(EIP, "10.0.0.51");
        let node = Resource::<Elastic>::on(&account, 1).with("allow_reassociation", "false");
        if on_record {
            node.run(Action::Probe { level: 0 }).await.unwrap();
            assert!(node.world.records.durable().pair.is_some());
        }
        assert_eq!(node.start().await.unwrap(), Report::Done, "on record: {on_record}");
        assert_eq!(place(&account, EIP).as_deref(), Some(OWN));
    }
}

/// [target-6]
#[tokio::test(start_paused = true)]
async fn of_two_resources_that_start_on_one_place_at_one_instant_one_wins() {
    let account = account();
    account.allocate_as("203.0.113.11", "eipalloc-00000000000000011");
    let first = Resource::<Elastic>::on(&account, 1);
    let second =
        Resource::<Elastic>::on(&account, 1).with("elastic_ip", "203.0.113.11").beside("first", &first);
    first.world.records.others.borrow_mut().push(("second".to_owned(), second.world.records.clone()));
    let (one, two) = tokio::join!(first.start(), second.start());
    let shared = |outcome: &Result<Report, Error>| matches!(outcome, Err(Error::Shared { .. }));
    assert!(one.is_ok() && shared(&two) || two.is_ok() && shared(&one), "{one:?} {two:?}");
}

/// [start-10], [imds-2]
#[tokio::test(start_paused = true)]
async fn an_elastic_ip_goes_onto_a_private_address_that_was_assigned_a_moment_ago() {
    let account = account();
    tokio::time::advance(Duration::from_mins(10)).await;
    account.freeze(Reads::Metadata);
    let vip = Resource::<Private>::on(&account, 1).started().await;
    let eip = Resource::<Elastic>::on(&account, 1).with("private_ip_address", VIP).beside("vip", &vip);
    assert_eq!(eip.start().await.unwrap(), Report::Done);
    assert_eq!(place(&account, EIP).as_deref(), Some(VIP));
    assert_eq!(eip.monitor().await.unwrap(), Report::Done);
    assert_eq!(vip.monitor().await.unwrap(), Report::Done);
}

/// [monitor-2], [holder-3], [start-3]
async fn a_healthy_monitor_asks_ec2_nothing_and_a_takeover_sends_three_calls<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let node = Resource::<K>::on(&account, 1);
    node.run(Action::Probe { level: 0 }).await.unwrap();
    account.clear_calls();
    let node = node.started().await;
    let calls = account.calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call.starts_with(K::TAKING)).count(), 1, "{calls:?}");
    tokio::time::advance(Duration::from_secs(130)).await;
    account.clear_calls();
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert_eq!(account.calls(), Vec::<String>::new(), "{}", K::NAME);
    assert_eq!(node.world.records.volatile().phase, Some(Phase::Started));
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_for_every_kind() {
    a_healthy_monitor_asks_ec2_nothing_and_a_takeover_sends_three_calls::<Elastic>().await;
    a_healthy_monitor_asks_ec2_nothing_and_a_takeover_sends_three_calls::<Private>().await;
}

/// [start-7] The answer to the taking call is lost, and a peer takes the address before the query that follows.
async fn a_start_whose_call_was_overtaken_by_a_peer_does_not_take_the_address_back<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1);
    node.run(Action::Probe { level: 0 }).await.unwrap();
    account.fail_once(K::TAKING, FaultKind::LoseAnswer);
    let peer = async {
        while K::holder(&account).is_none() {
            tokio::task::yield_now().await;
        }
        K::give(&account, 2);
    };
    let (outcome, ()) = tokio::join!(node.start(), peer);
    assert!(matches!(outcome, Err(Error::TakenMeanwhile { .. })), "{}: {outcome:?}", K::NAME);
    assert!(node.holds(2));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_overtaken_says_so_for_every_kind() {
    a_start_whose_call_was_overtaken_by_a_peer_does_not_take_the_address_back::<Elastic>().await;
    a_start_whose_call_was_overtaken_by_a_peer_does_not_take_the_address_back::<Private>().await;
}

/// [time-5] EC2 has carried out the releasing call, whose answer never comes: the call that is sent again is refused, or its
/// answer is lost too.
async fn a_stop_whose_answer_was_lost_is_done<K: Tested>() {
    for on_stop in [K::RELEASES, "strict"] {
        for lost in [FaultKind::EffectThenHang, FaultKind::LoseAnswer, FaultKind::TruncatedXml] {
            for (settled, for_ever) in [(false, false), (false, true), (true, false), (true, true)] {
                let account = account();
                let mut node = Resource::<K>::on(&account, 1).with("on_stop", on_stop);
                node.world.ec2 = node.world.ec2.clone().attempt(Duration::from_secs(3));
                let node = if settled { node.settled().await } else { node.started().await };
                if for_ever {
                    account.fail(K::RELEASING, lost.clone());
                    // Instance metadata does not help.
                    account.freeze(Reads::Metadata);
                } else {
                    account.fail_once(K::RELEASING, lost.clone());
                }
                let outcome = node.stop().await;
                let case = format!("{} {on_stop} {} settled: {settled} {for_ever}", K::NAME, lost.name());
                assert_eq!(outcome.unwrap(), Report::Done, "{case}");
                assert_eq!(K::holder(&account), None, "{case}");
                assert_eq!(node.world.records.volatile().phase, Some(Phase::Stopped), "{case}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_releasing_call_whose_answer_was_lost_has_ended_the_stop() {
    a_stop_whose_answer_was_lost_is_done::<Elastic>().await;
    a_stop_whose_answer_was_lost_is_done::<Private>().await;
}

/// Firmware and record name the instance, so that EC2 can be asked without instance metadata.
#[tokio::test(start_paused = true)]
async fn a_strict_stop_with_the_instance_id_alone_hanging_asks_ec2() {
    let account = account();
    let node = Resource::<Private>::on(&account, 1).with("on_stop", "strict").settled().await;
    let hang = Fault::new(Service::Imds, FaultKind::Hang).exactly("/latest/meta-data/instance-id");
    let id = account.fault(hang);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(<Private as Tested>::holder(&account), None);
    account.clear_fault(id);
}

/// [stale-4]
async fn a_start_beside_a_contradicting_answer_sends_the_call_after_half_the_budget<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).started().await;
    // An administrator took it away; for this node it looks like an answer from before its start.
    K::take_away(&account);
    account.clear_calls();
    let began = Instant::now();
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1), "{}", K::NAME);
    let took = began.elapsed();
    assert!((Duration::from_secs(8)..Duration::from_secs(12)).contains(&took), "{} {took:?}", K::NAME);
    let sent = account.calls().iter().filter(|call| call.starts_with(K::TAKING)).count();
    assert_eq!(sent, 1, "{}", K::NAME);
}

#[tokio::test(start_paused = true)]
async fn a_second_start_that_ec2_contradicts_takes_the_address_after_half_of_its_budget() {
    a_start_beside_a_contradicting_answer_sends_the_call_after_half_the_budget::<Elastic>().await;
    a_start_beside_a_contradicting_answer_sends_the_call_after_half_the_budget::<Private>().await;
}

/// [stale-6]
#[tokio::test(start_paused = true)]
async fn a_stop_right_after_a_start_ends_the_association_on_record_that_no_replica_shows() {
    for on_stop in ["disassociate", "strict"] {
        let account = account();
        account.give(EIP, "10.0.0.2");
        tokio::time::advance(Duration::from_mins(10)).await;
        account.freeze(Reads::Metadata);
        let node = Resource::<Elastic>::on(&account, 1).with("on_stop", on_stop).started().await;
        account.set_lag(Reads::Describes, Lag::Fixed(Duration::from_mins(1)));
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{on_stop}");
        assert_eq!(account.holder(EIP), None, "{on_stop}");
    }
}

/// [displaced-3]
#[tokio::test(start_paused = true)]
async fn a_stop_that_cannot_restore_what_was_displaced_succeeds_and_keeps_it_on_record() {
    for fault in [FaultKind::code("UnauthorizedOperation"), FaultKind::Reset, FaultKind::Hang] {
        let account = account();
        account.give(OTHER, OWN);
        let node = Resource::<Elastic>::on(&account, 1).settled().await;
        account.fail("AssociateAddress", fault.clone());
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{}", fault.name());
        assert_eq!(account.holder(EIP), None);
        let displaced = node.world.records.durable().displaced;
        assert!(displaced.iter().any(|entry| !entry.put_back), "{} {displaced:?}", fault.name());
    }
}

/// [imds-1] Another interface is listed, but its items are not there yet.
async fn an_interface_that_is_being_attached_affects_no_other<K: Tested>() {
    for interface in [eni(1), "0".to_owned()] {
        let account = account();
        let spec = InterfaceSpec::numbered(7, &["10.0.0.7"]);
        let other = account.add_interface(&eni(1).parse().unwrap(), spec);
        account.attach(&other, &instance(1).parse().unwrap());
        let path = format!("/latest/meta-data/network/interfaces/macs/{}/", account.mac_of(&other).unwrap());
        account.fault(
            Fault::new(
                Service::Imds,
                FaultKind::Error { status: 404, code: String::new(), message: String::new() },
            )
            .operation(&path),
        );
        let node = Resource::<K>::on(&account, 1).with("interface", &interface);
        let began = Instant::now();
        let node = node.settled().await;
        assert_eq!(node.monitor().await.unwrap(), Report::Done, "{} {interface}", K::NAME);
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{} {interface}", K::NAME);
        assert_eq!(K::holder(&account), None);
        assert!(began.elapsed() < Duration::from_secs(140), "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_interface_without_items_is_in_nobodys_way() {
    an_interface_that_is_being_attached_affects_no_other::<Elastic>().await;
    an_interface_that_is_being_attached_affects_no_other::<Private>().await;
}

/// [record-4]
async fn a_record_of_another_instance_is_dropped_and_said_once<K: Tested>() {
    let account = account();
    let original = Resource::<K>::on(&account, 1).started().await;
    let copy = Resource::<K>::on(&account, 2);
    *copy.world.records.durable.borrow_mut() = original.world.records.durable();
    *copy.world.records.volatile.borrow_mut() = original.world.records.volatile();
    for _ in 0..2 {
        assert_eq!(copy.start().await.unwrap(), Report::Done);
    }
    assert!(copy.holds(2), "{}", K::NAME);
    let durable = copy.world.records.durable();
    assert_eq!(durable.instance.map(|id| id.to_string()), Some(instance(2)), "{}", K::NAME);
    let dropped = format!("record of {} dropped: this is {}", instance(1), instance(2));
    let lines = copy.world.log.lines();
    assert_eq!(lines.iter().filter(|line| line.contains(&dropped)).count(), 1, "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_node_made_from_an_image_drops_the_originals_record_for_every_kind() {
    a_record_of_another_instance_is_dropped_and_said_once::<Elastic>().await;
    a_record_of_another_instance_is_dropped_and_said_once::<Private>().await;
}

/// [target-3] `eipctl restore` and a start use the same lock.
#[tokio::test(start_paused = true)]
async fn a_start_waits_for_the_call_that_eipctl_restore_has_in_flight_for_its_place() {
    let account = account();
    account.give(OTHER, OWN);
    let node = Resource::<Elastic>::on(&account, 1).settled().await;
    account.give(EIP, "10.0.0.2");
    // The node was booted: it restores, and is told to start meanwhile.
    *node.world.records.volatile.borrow_mut() = crate::state::Volatile::default();
    account.fail_once("AssociateAddress", FaultKind::Delay(Duration::from_secs(3)));
    let Parts { ec2, imds, host, records, log } = &node.world;
    let (ec2, imds, host) = (ec2.clone(), imds.clone(), host.clone());
    let world = Parts { ec2, imds, host, records: records.clone(), log: log.clone() };
    let resources = [elastic::Known { world, params: <Elastic as Kind<Real>>::parse(&node.raw).unwrap() }];
    let deadline = Deadline::new(Instant::now(), Duration::from_mins(1));
    let later = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        node.start().await
    };
    let (left, started) = tokio::join!(elastic::restore(&resources, &deadline), later);
    assert_eq!((left.len(), started.unwrap()), (0, Report::Done));
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(node.holds(1));
    assert_eq!(place(&account, OTHER), None);
    // [displaced-2] The start did not see yet what had just been restored.
    node.stop().await.unwrap();
    assert_eq!(place(&account, OTHER).as_deref(), Some(OWN));
}

/// [target-5] The call that restores an address was cut off, and takes effect after the next start has taken the place.
#[tokio::test(start_paused = true)]
async fn a_start_outlasts_a_restore_of_an_earlier_stop_that_takes_effect_late() {
    let account = account();
    account.give(OTHER, OWN);
    let node = Resource::<Elastic>::on(&account, 1).settled().await;
    let hang = account.fail("AssociateAddress", FaultKind::Hang);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    let displaced = node.world.records.durable().displaced;
    assert!(displaced.iter().all(|entry| entry.sent.is_some() && !entry.put_back), "{displaced:?}");
    account.clear_fault(hang);
    let late = async {
        while account.holder(EIP).is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        account.give(OTHER, OWN);
    };
    let (started, ()) = tokio::join!(node.start(), late);
    assert_eq!(started.unwrap(), Report::Done);
    assert!(node.holds(1));
    let lines = node.world.log.lines();
    assert!(lines.iter().any(|line| line.contains("displaced by a late call")), "{lines:?}");
}

/// [migrate-1]
async fn a_migration_that_the_target_may_not_complete_is_refused_by_the_source<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).with(K::MAY_TAKE, "false").settled().await;
    let error = node.run(Action::MigrateTo).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}=false", K::MAY_TAKE)), "{error}");
    assert_eq!(exit_code(&error, Attempt::Start), ExitCode::Generic);
    assert!(node.holds(1));
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "it is here until the stop");
}

#[tokio::test(start_paused = true)]
async fn a_migration_without_leave_to_take_the_address_is_refused_for_every_kind() {
    a_migration_that_the_target_may_not_complete_is_refused_by_the_source::<Elastic>().await;
    a_migration_that_the_target_may_not_complete_is_refused_by_the_source::<Private>().await;
}

/// [code-4] The address is on record from before a load balancer got it, and the answer to the taking call does not come.
#[tokio::test(start_paused = true)]
async fn an_address_that_an_aws_service_got_meanwhile_is_refused_by_the_query_beside_the_takeover() {
    let account = account();
    let node = Resource::<Elastic>::on(&account, 1);
    node.run(Action::Probe { level: 0 }).await.unwrap();
    account.set_managed_by(EIP, Some("alb"));
    account.fail("AssociateAddress", FaultKind::Reset);
    let began = Instant::now();
    let error = node.start().await.unwrap_err();
    assert!(matches!(error, Error::Managed(..)), "{error}");
    assert_eq!(exit_code(&error, Attempt::Start), ExitCode::Args);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

/// [param-5]
#[tokio::test(start_paused = true)]
async fn a_bundle_is_found_in_a_list_by_node_under_the_name_of_its_host() {
    let account = account();
    let node = Resource::<Elastic>::on(&account, 1)
        .with("private_ip_address", "node1=10.0.0.51,node2=10.0.0.2,web-bundle-9=10.0.0.1");
    let rows = [
        (vec!["web-bundle-0", "node1"], Ok("10.0.0.51")),
        (vec!["web-bundle-9", "node1"], Ok("10.0.0.1")),
        (vec!["node2"], Err("private_ip_address 10.0.0.2 is not on eni-00000000000000001")),
        (vec!["web-bundle-0", "node3"], Err("no entry for node web-bundle-0")),
    ];
    for (names, expected) in rows {
        let params = <Elastic as Kind<Real>>::parse(&node.raw).unwrap();
        let nodes = names.iter().map(|name| (*name).to_owned()).collect();
        let deadline = Deadline::new(Instant::now(), Duration::from_secs(20));
        let request = Request { action: Action::Start, params, deadline, nodes };
        match (run::<Elastic, _>(&node.world, &request).await, expected) {
            (Ok(_), Ok(ip)) => assert_eq!(place(&account, EIP).as_deref(), Some(ip), "{names:?}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{names:?}: {error}"),
            (outcome, expected) => panic!("{names:?}: {outcome:?}, not {expected:?}"),
        }
    }
}

/// [imds-2] An interface is hot-plugged: instance metadata lists it seconds after EC2, and its items seconds after that.
async fn a_start_waits_for_an_interface_that_is_being_attached<K: Tested>() {
    let account = account();
    let other = account.add_interface(&eni(1).parse().unwrap(), InterfaceSpec::numbered(7, &["10.0.0.7"]));
    let mac = account.mac_of(&other).unwrap().to_string();
    let node = Resource::<K>::on(&account, 1).with("interface", &eni(7));
    node.world.host.network.plug("eth1", &mac, &["10.0.0.7"]);
    let path = format!("/latest/meta-data/network/interfaces/macs/{mac}/");
    let absent = FaultKind::Error { status: 404, code: String::new(), message: String::new() };
    let missing = account.fault(Fault::new(Service::Imds, absent).operation(&path));
    let began = Instant::now();
    let attaching = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        account.attach(&other, &instance(1).parse().unwrap());
        tokio::time::sleep(Duration::from_secs(2)).await;
        account.clear_fault(missing);
    };
    let (started, ()) = tokio::join!(node.start(), attaching);
    assert_eq!(started.unwrap(), Report::Done, "{}", K::NAME);
    assert!(node.holds(7) && began.elapsed() < Duration::from_secs(8), "{} {:?}", K::NAME, began.elapsed());

    // One that never comes: a start looks for half of its budget, monitor and stop for none of it.
    let node = Resource::<K>::on(&account, 2).with("interface", &eni(8));
    let began = Instant::now();
    let error = node.start().await.unwrap_err();
    assert!(matches!(error, Error::NoInterface(_)), "{error}");
    let took = began.elapsed();
    assert!((Duration::from_secs(7)..=Duration::from_secs(10)).contains(&took), "{} {took:?}", K::NAME);
    let began = Instant::now();
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)), "{}", K::NAME);
    assert_eq!(node.stop().await.unwrap(), Report::Done, "{}", K::NAME);
    assert!(began.elapsed() < Duration::from_secs(1), "{} {:?}", K::NAME, began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_interface_not_there_yet_is_not_taken_for_one_that_is_not_there() {
    a_start_waits_for_an_interface_that_is_being_attached::<Elastic>().await;
    a_start_waits_for_an_interface_that_is_being_attached::<Private>().await;
}

/// [start-7] The query beside the call was lost, and the next one shows the address with nobody: who has it later took it later.
async fn what_a_query_after_the_first_call_showed_is_remembered<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1);
    node.run(Action::Probe { level: 0 }).await.unwrap();
    let unavailable =
        |operation| Fault::new(Service::Ec2, FaultKind::code("Unavailable")).operation(operation).times(1);
    for fault in [unavailable(K::WORDS.asking), unavailable(K::WORDS.asking).skip(1), unavailable(K::TAKING)]
    {
        account.fault(fault);
    }
    account.fail_once(K::TAKING, FaultKind::LoseAnswer);
    let peer = async {
        while K::holder(&account).is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        K::give(&account, 2);
    };
    let (outcome, ()) = tokio::join!(node.start(), peer);
    assert!(matches!(outcome, Err(Error::TakenMeanwhile { .. })), "{}: {outcome:?}", K::NAME);
    assert!(node.holds(2));
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_first_query_was_lost_does_not_take_the_address_back_either() {
    what_a_query_after_the_first_call_showed_is_remembered::<Elastic>().await;
    what_a_query_after_the_first_call_showed_is_remembered::<Private>().await;
}

/// [time-3] One item of instance metadata hangs. Firmware or record know what it says, so EC2 is queried in time.
async fn a_stop_with_one_item_of_metadata_hanging_releases_the_address<K: Tested>() {
    let mac = "02:00:00:00:00:01";
    let interface = format!("/latest/meta-data/network/interfaces/macs/{mac}");
    for path in [
        "/latest/meta-data/instance-id".to_owned(),
        "/latest/meta-data/mac".to_owned(),
        format!("{interface}/interface-id"),
        format!("{interface}/local-ipv4s"),
        format!("{interface}/subnet-id"),
    ] {
        let account = account();
        let node = Resource::<K>::on(&account, 1).settled().await;
        account.fault(Fault::new(Service::Imds, FaultKind::Hang).exactly(&path));
        let began = Instant::now();
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{} {path}", K::NAME);
        assert_eq!(K::holder(&account), None, "{} {path}", K::NAME);
        assert!(began.elapsed() < Duration::from_secs(12), "{} {path} {:?}", K::NAME, began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_outlasts_an_item_of_metadata_that_hangs_for_every_kind() {
    a_stop_with_one_item_of_metadata_hanging_releases_the_address::<Elastic>().await;
    a_stop_with_one_item_of_metadata_hanging_releases_the_address::<Private>().await;
}
