//! `eipctl assign`: to any instance, from anywhere.

use super::*;
use crate::cloud::Ec2Fault;
use crate::params::{InterfaceSelector, VipParams};
use crate::resource::private::Assigned;

async fn order(
    account: &Account,
    number: u8,
    change: impl FnOnce(&mut VipParams),
) -> Result<Assigned, Error> {
    let node = PrivateNode::on(account, 1);
    let mut request = node.request(Action::Start, 20);
    change(&mut request.params);
    let assigned =
        op::<Private, _>(&node.world, &request).assign_to(&instance(number).parse().unwrap()).await;
    assert_eq!(account.questions(), 0, "from anywhere: instance metadata is not asked");
    assigned
}

#[tokio::test(start_paused = true)]
async fn it_goes_to_the_instance_and_from_there_to_another() {
    let account = account();
    let Ok(Assigned::Now { to, from: None }) = order(&account, 2, |_| ()).await else { panic!("not now") };
    assert_eq!(to.id.to_string(), eni(2));
    let Ok(Assigned::Now { from: Some(from), .. }) = order(&account, 3, |_| ()).await else {
        panic!("not now")
    };
    assert_eq!(from.id.to_string(), eni(2));
    assert_eq!(Private::holder(&account), Some(eni(3)));
    assert!(matches!(order(&account, 3, |_| ()).await, Ok(Assigned::Already(_))));
}

#[tokio::test(start_paused = true)]
async fn the_interface_is_chosen_by_index_or_id() {
    for name in [InterfaceSelector::Index(1), InterfaceSelector::Eni(eni(7).parse().unwrap())] {
        let account = account();
        attach(&account, "10.0.0.7");
        order(&account, 1, |order| order.interface = name).await.unwrap();
        assert_eq!(Private::holder(&account), Some(eni(7)));
    }
}

/// [param-4]
#[tokio::test(start_paused = true)]
async fn a_device_index_that_fits_two_interfaces_is_card_0s_or_refused() {
    let account = account();
    attach(&account, "10.0.0.7");
    account.put_on_card(&eni(7).parse().unwrap(), 1, 0);
    order(&account, 1, |_| ()).await.unwrap();
    assert_eq!(Private::holder(&account), Some(eni(1)), "the primary interface is on card 0");
    account.put_on_card(&eni(7).parse().unwrap(), 0, 0);
    let refused = order(&account, 1, |order| order.interface = InterfaceSelector::Index(0)).await;
    assert!(refused.unwrap_err().to_string().contains("fits several interfaces"));
}

#[tokio::test(start_paused = true)]
async fn another_subnet_is_refused() {
    let account = account();
    account.add_instance(InstanceSpec::numbered(9, &["10.0.9.9"]));
    assert!(order(&account, 9, |_| ()).await.unwrap_err().is_ec2(Ec2Fault::Target));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_may_not_or_cannot_be_taken_is_named_with_the_reason() {
    let account = account();
    Private::give(&account, 2);
    let held = order(&account, 1, |order| order.allow_reassignment = false).await.unwrap_err().to_string();
    assert!(held.contains(&instance(2)), "{held}");
    let own = order(&account, 1, |order| order.address = "10.0.0.2".parse().unwrap()).await.unwrap_err();
    assert!(own.to_string().contains("is the primary address of"), "{own}");
    for name in [InterfaceSelector::Index(1), InterfaceSelector::Device("eth0".to_owned())] {
        assert!(matches!(order(&account, 1, |order| order.interface = name).await, Err(Error::NotHere(_))));
    }
    let unknown = order(&account, 8, |_| ()).await.unwrap_err().to_string();
    assert!(unknown.starts_with(&format!("{}: EC2 shows no interface", instance(8))), "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_no_failure_and_a_call_that_never_shows_is_one() {
    let account = account();
    account.fail_once("AssignPrivateIpAddresses", FaultKind::LoseAnswer);
    assert!(order(&account, 2, |_| ()).await.is_ok());
    account.freeze(Reads::Describes);
    assert!(matches!(order(&account, 3, |_| ()).await, Err(Error::Unconfirmed { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_error_that_keeps_ec2_from_confirming_is_reported() {
    let account = account();
    // After two queries, for the interface and for the holder.
    account.fault(fault("DescribeNetworkInterfaces", refused()).skip(2));
    let began = Instant::now();
    let error = order(&account, 2, |_| ()).await.unwrap_err();
    assert!(matches!(&error, Error::Unconfirmed { shown, .. } if shown.contains("SomethingNew")), "{error}");
    assert_eq!(began.elapsed(), Duration::ZERO, "the same question gets the same answer");
}

#[tokio::test(start_paused = true)]
async fn a_repeated_call_that_is_refused_because_the_first_was_carried_out_is_no_failure() {
    let account = account();
    account.fail_once("AssignPrivateIpAddresses", FaultKind::LoseAnswer);
    account.fail_once("AssignPrivateIpAddresses", FaultKind::code("Resource.AlreadyAssigned"));
    let outcome = order(&account, 2, |order| order.allow_reassignment = false).await;
    assert!(matches!(outcome, Ok(Assigned::Now { .. })), "{outcome:?}");
}
