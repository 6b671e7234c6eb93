//! The guarantees that the model gives to the tests built on it.

// Test code: it fails by panicking.
#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::{advance, sleep};

use super::*;
use crate::base::ids::AllocationId;
use crate::cloud::{Ec2 as _, Ec2Fault, Imds as _, ImdsError, Selector, Target};

const EIP: &str = "203.0.113.10";
const OTHER: &str = "203.0.113.99";
const SECOND: Duration = Duration::from_secs(1);

/// Two nodes in one subnet and two unassociated Elastic IPs.
fn account() -> Account {
    let account = Account::default();
    account.add_instance(InstanceSpec::numbered(1, &["10.0.0.11", "10.0.0.50"]));
    account.add_instance(InstanceSpec::numbered(2, &["10.0.0.12"]));
    account.allocate_as(EIP, "eipalloc-00000000000000010");
    account.allocate_as(OTHER, "eipalloc-00000000000000099");
    account
}

fn node(account: &Account, number: u8) -> ModelClient {
    ModelClient::new(account, &format!("i-{number:017x}"))
}

fn target(number: u8, ip: &str) -> Target {
    Target { interface: format!("eni-{number:017x}").parse().unwrap(), private_ip: ip.parse().unwrap() }
}

fn allocation() -> AllocationId {
    "eipalloc-00000000000000010".parse().unwrap()
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_sits_on_the_private_address_is_displaced_silently() {
    let account = account();
    account.give(OTHER, "10.0.0.11");
    let id = node(&account, 1).associate(&allocation(), &target(1, "10.0.0.11"), true).await.unwrap();
    assert_eq!(account.holder(EIP).unwrap().association_id, id);
    assert_eq!(account.holder(OTHER), None);
    assert!(account.knows(OTHER), "it stays allocated");
    let again = node(&account, 1).associate(&allocation(), &target(1, "10.0.0.11"), true).await.unwrap();
    assert_eq!(again, id, "the same again is the same association");
    let sitting = node(&account, 2).on_target(&target(1, "10.0.0.11")).await.unwrap();
    assert_eq!(sitting.iter().map(|address| address.public_ip).collect::<Vec<_>>(), [ip(EIP)]);
    assert_eq!(node(&account, 2).on_target(&target(1, "10.0.0.50")).await.unwrap(), []);
    assert_eq!(account.history(EIP).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn describes_and_metadata_lag_each_by_itself() {
    let account = account();
    let (one, which) = (node(&account, 1), Selector::PublicIp(EIP.parse().unwrap()));
    let mac = one.primary_mac().await.unwrap();
    account.set_lag(Reads::Describes, Lag::Fixed(SECOND * 3));
    account.set_lag(Reads::MetadataOf(one.instance_id().await.unwrap()), Lag::Fixed(SECOND * 6));
    account.give(EIP, "10.0.0.11");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let described = one.describe(&which).await.unwrap().association.is_some();
        seen.push((described, !one.association(mac, ip(EIP)).await.unwrap().is_empty()));
        advance(SECOND * 4).await;
    }
    assert_eq!(seen, [(false, false), (true, false), (true, true)]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_happens_before_or_after_the_effect_or_never_ends() {
    let rows = [
        (FaultKind::code("InternalError"), Some(Ec2Fault::Silent), false),
        (FaultKind::code("UnauthorizedOperation"), Some(Ec2Fault::Denied), false),
        (FaultKind::Throttle, Some(Ec2Fault::Throttled), false),
        (FaultKind::Reset, Some(Ec2Fault::Silent), false),
        (FaultKind::LoseAnswer, Some(Ec2Fault::Silent), true),
        (FaultKind::TruncatedXml, Some(Ec2Fault::Silent), true),
        (FaultKind::HtmlProxy(403), Some(Ec2Fault::Silent), false),
        (FaultKind::Hang, Some(Ec2Fault::Silent), false),
        (FaultKind::EffectThenHang, Some(Ec2Fault::Silent), true),
        (FaultKind::Delay(SECOND * 2), None, true),
    ];
    for (kind, fault, effect) in rows {
        let account = account();
        let one = node(&account, 1).attempt(SECOND * 4);
        account.fail_once("AssociateAddress", kind.clone());
        let outcome = one.associate(&allocation(), &target(1, "10.0.0.11"), true).await;
        assert_eq!(outcome.as_ref().err().map(|error| error.fault), fault, "{kind:?}");
        assert_eq!(account.holder(EIP).is_some(), effect, "{kind:?}");
        assert!(one.associate(&allocation(), &target(1, "10.0.0.11"), true).await.is_ok(), "{kind:?} once");
        assert_eq!(account.calls(), ["AssociateAddress eipalloc-00000000000000010"; 2]);
        assert_eq!(account.records().first().unwrap().failure.is_some(), fault.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_effect_after_its_answer_and_after_its_caller_is_gone() {
    let account = account();
    let one = node(&account, 1).attempt(SECOND);
    account.fail_once("AssociateAddress", FaultKind::LateEffect(SECOND * 3));
    let id = one.associate(&allocation(), &target(1, "10.0.0.11"), true).await.unwrap();
    assert_eq!(account.holder(EIP), None);
    sleep(SECOND * 4).await;
    assert_eq!(account.holder(EIP).unwrap().association_id, id);
    account.fail_once("DisassociateAddress", FaultKind::Delay(SECOND * 3));
    assert_eq!(one.disassociate(&id).await.unwrap_err().fault, Ec2Fault::Silent);
    assert!(account.holder(EIP).is_some());
    sleep(SECOND * 4).await;
    assert_eq!(account.holder(EIP), None);
    let by = account.elastic_ip_changes(EIP).pop().unwrap().by;
    assert_eq!((by.instance, by.sent), ("i-00000000000000001".parse().ok(), SECOND * 4));
}

#[tokio::test(start_paused = true)]
async fn metadata_fall_silent_by_path_and_by_instance() {
    let account = account();
    let (one, two) = (node(&account, 1), node(&account, 2));
    let mac = one.primary_mac().await.unwrap();
    let path = format!("/latest/meta-data/network/interfaces/macs/{mac}/ipv4");
    account.fault(Fault::new(Service::Imds, FaultKind::Reset).operation(&path));
    assert!(matches!(one.associations(mac).await, Err(ImdsError::Silent { .. })));
    assert_eq!(one.interface(mac).await.unwrap().private_ips, [ip("10.0.0.11"), ip("10.0.0.50")]);
    account.fail_metadata(FaultKind::Reset);
    assert!(one.instance_id().await.is_err() && two.instance_id().await.is_err());
    account.clear_faults();
    assert_eq!(
        two.subnet("02:00:00:00:00:02".parse().unwrap()).await.unwrap().cidr.to_string(),
        "10.0.0.0/24"
    );
    assert_eq!(
        (two.region().await.unwrap(), two.account().await.unwrap().len()),
        ("eu-west-1".to_owned(), 12)
    );
    assert!(matches!(two.interface(mac).await, Err(ImdsError::Absent { .. })), "another instance's");
}

#[tokio::test(start_paused = true)]
async fn an_interface_that_is_attached_later_shows_once_metadata_catch_up() {
    let account = account();
    let one = node(&account, 1);
    account.set_lag(Reads::Metadata, Lag::Fixed(SECOND * 2));
    let eni = target(1, "10.0.0.11").interface;
    let new = account.add_interface(&eni, InterfaceSpec::numbered(9, &["10.0.0.19"]));
    account.give(EIP, "10.0.0.19");
    assert_eq!(
        (account.place(EIP).as_deref(), account.holder(EIP)),
        (Some("10.0.0.19"), None),
        "attached to no instance"
    );
    account.attach(&new, &one.instance_id().await.unwrap());
    assert_eq!(one.macs().await.unwrap().len(), 1);
    advance(SECOND * 3).await;
    assert_eq!(one.macs().await.unwrap().len(), 2);
    assert_eq!(one.attachment("02:00:00:00:00:09".parse().unwrap()).await.unwrap().device_index, 1);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_terminated_holds_nothing() {
    let account = account();
    account.give(EIP, "10.0.0.50");
    let instance = node(&account, 1).instance_id().await.unwrap();
    account.set_instance_state(&instance, InstanceState::Terminated);
    assert_eq!((account.holder(EIP), account.private_holder(ip("10.0.0.50"))), (None, None));
    assert_eq!(account.instance(&instance).unwrap().interfaces, []);
}

#[tokio::test(start_paused = true)]
async fn the_way_to_ec2_takes_its_time_and_a_gate_can_close_it() {
    let account = account();
    account.set_journey(None, Journey::of(SECOND));
    node(&account, 1).associate(&allocation(), &target(1, "10.0.0.11"), true).await.unwrap();
    assert_eq!((account.elapsed(), account.elastic_ip_changes(EIP).pop().unwrap().at), (SECOND * 2, SECOND));
    let closed = node(&account, 1).gated(|| false);
    let waiting = tokio::time::timeout(SECOND, closed.instance_id()).await;
    assert!(waiting.is_err());
}
