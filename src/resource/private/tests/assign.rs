//! Assigning to any instance, from anywhere.

use super::*;
use crate::params::InterfaceSelector;
use crate::resource::private::{Assigned, Order, assign};

async fn order(node: &Node, number: u8, change: impl FnOnce(&mut Order)) -> Result<Assigned, Error> {
    let mut order = Order {
        address: VIP.parse().unwrap(),
        instance: instance(number).parse().unwrap(),
        interface: InterfaceSelector::Primary,
        reassign: true,
        max_backoff: Duration::from_secs(5),
    };
    change(&mut order);
    // From anywhere: no metadata service is asked.
    node.imds.set_silent(true);
    let deadline = Deadline::new(Instant::now(), Duration::from_secs(20));
    assign(&node.world, &order, &deadline).await
}

#[tokio::test(start_paused = true)]
async fn it_goes_to_the_instance_and_from_there_to_another() {
    let node = Node::new();
    let Assigned::Now { to, from: None } = order(&node, 2, |_| ()).await.unwrap() else { panic!("not now") };
    assert_eq!(to.id.to_string(), eni(2));
    let Assigned::Now { from: Some(from), .. } = order(&node, 3, |_| ()).await.unwrap() else {
        panic!("not now")
    };
    assert_eq!(from.id.to_string(), eni(2));
    assert!(node.holds(3));
    assert!(matches!(order(&node, 3, |_| ()).await.unwrap(), Assigned::Already(_)));
}

#[tokio::test(start_paused = true)]
async fn another_subnet_is_refused() {
    let node = Node::new();
    node.ec2.add_eni(&instance(9), &eni(9), "subnet-00000000000000009", "10.0.9.9");
    assert!(order(&node, 9, |_| ()).await.unwrap_err().is_ec2(Ec2Fault::Target));
}

#[tokio::test(start_paused = true)]
async fn what_may_not_or_cannot_be_taken_is_said() {
    let node = Node::new();
    node.ec2.give_private(VIP, &eni(2));
    let held = order(&node, 1, |order| order.reassign = false).await.unwrap_err().to_string();
    assert!(held.contains(&instance(2)), "{held}");
    let own = order(&node, 1, |order| order.address = "10.0.0.2".parse().unwrap()).await.unwrap_err();
    assert!(own.to_string().contains("is the primary address of"), "{own}");
    assert!(order(&node, 8, |_| ()).await.is_err());
    for name in [InterfaceSelector::Index(1), InterfaceSelector::Device("eth0".to_owned())] {
        assert!(matches!(order(&node, 1, |order| order.interface = name).await, Err(Error::NotHere(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_no_failure_and_an_order_that_never_shows_is_one() {
    let node = Node::new();
    node.ec2.fail_once("AssignPrivateIpAddresses", Ec2Fault::Silent, Strike::After);
    assert!(order(&node, 2, |_| ()).await.is_ok());
    node.ec2.freeze_enis(1000);
    assert!(matches!(order(&node, 3, |_| ()).await, Err(Error::Unconfirmed { .. })));
}

#[tokio::test(start_paused = true)]
async fn what_keeps_ec2_from_confirming_is_what_is_told() {
    let node = Node::new();
    let ec2 = node.ec2.clone();
    let denied = async move {
        // Two looks and the order are under way.
        while ec2.calls().len() < 3 {
            tokio::task::yield_now().await;
        }
        ec2.fail("DescribeNetworkInterfaces", Ec2Fault::Refused, Strike::Before);
    };
    let began = Instant::now();
    let ((), outcome) = tokio::join!(biased; denied, order(&node, 2, |_| ()));
    let error = outcome.unwrap_err();
    assert!(matches!(&error, Error::Unconfirmed { shown, .. } if shown.contains("Refused")), "{error}");
    assert_eq!(began.elapsed(), Duration::ZERO, "the same question gets the same answer");
}

#[tokio::test(start_paused = true)]
async fn a_repeated_order_that_is_refused_because_the_first_was_carried_out_is_no_failure() {
    let node = Node::new();
    node.ec2.fail_once("AssignPrivateIpAddresses", Ec2Fault::Silent, Strike::After);
    node.ec2.fail_once("AssignPrivateIpAddresses", Ec2Fault::AlreadyAssociated, Strike::Before);
    let outcome = order(&node, 2, |order| order.reassign = false).await;
    assert!(matches!(outcome, Ok(Assigned::Now { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_ec2_does_not_know_is_named() {
    let error = order(&Node::new(), 8, |_| ()).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: EC2 shows no interface", instance(8))), "{error}");
}
