//! `start`: the address by its ids, and the private address that it goes onto.

use super::*;

/// [start-4] [param-3]
#[tokio::test(start_paused = true)]
async fn an_allocation_that_is_not_the_address_takes_nothing() {
    let account = account();
    account.give(OTHER, "10.0.0.2");
    let error =
        ElasticNode::on(&account, 1).with("allocation_id", OTHER_ALLOCATION).start().await.unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    let calls = account.calls();
    assert!(calls.iter().all(|call| call.starts_with("Describe")), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn an_allocation_is_enough_with_and_without_its_address() {
    let node = ElasticNode::on(&account(), 1).with("allocation_id", ALLOCATION);
    assert!(node.started().await.holds(1));
    let node = ElasticNode::on(&account(), 1).without("elastic_ip").with("allocation_id", ALLOCATION);
    assert!(node.started().await.holds(1));
}

/// [record-5] [stale-7]
#[tokio::test(start_paused = true)]
async fn an_allocation_on_record_that_ec2_no_longer_knows_is_queried_again() {
    let released = "eipalloc-000000000000000aa";
    let node = ElasticNode::on(&account(), 1).recorded(EIP, released).started().await;
    assert!(node.holds(1));
    assert_eq!(node.world.records.durable().pair.unwrap().allocation.as_str(), ALLOCATION);
}

/// [start-8]
#[tokio::test(start_paused = true)]
async fn without_reassociation_a_wrong_private_address_of_this_node_is_corrected_with_and_without_a_record() {
    for on_record in [false, true] {
        let account = account();
        account.give(EIP, OWN_SECOND);
        let node = ElasticNode::on(&account, 1).with("allow_reassociation", "false");
        let node = if on_record { node.probed().await } else { node };
        assert_eq!(node.world.records.durable().pair.is_some(), on_record);
        node.started().await;
        assert_eq!(account.place(EIP).as_deref(), Some(OWN));
    }
}

#[tokio::test(start_paused = true)]
async fn the_private_address_chooses_the_interface_and_the_node_chooses_the_private_address() {
    for (value, place) in
        [("node2=10.0.0.2,node1=10.0.0.51", OWN_SECOND), (OWN_SECOND, OWN_SECOND), ("10.0.0.7", "10.0.0.7")]
    {
        let account = account();
        attach(&account, "10.0.0.7");
        ElasticNode::on(&account, 1).with("private_ip_address", value).started().await;
        assert_eq!(account.place(EIP).as_deref(), Some(place), "{value}");
    }
    let start = async |value| ElasticNode::on(&account(), 1).with("private_ip_address", value).start().await;
    assert!(matches!(start("node2=10.0.0.2").await, Err(Error::NotHere(_))));
    assert!(matches!(start("10.0.9.9").await, Err(Error::NoPrivateIp { .. })));
}

/// [start-10], [imds-2]
#[tokio::test(start_paused = true)]
async fn an_elastic_ip_goes_onto_a_private_address_that_was_assigned_a_moment_ago() {
    let account = account();
    minutes(10).await;
    account.freeze(Reads::Metadata);
    let vip = Resource::<Private>::on(&account, 1).started().await;
    let eip =
        ElasticNode::on(&account, 1).with("private_ip_address", VIP).next_to("vip", &vip).started().await;
    assert_eq!(account.place(EIP).as_deref(), Some(VIP));
    assert_eq!(eip.monitor().await.unwrap(), Report::Done);
    assert_eq!(vip.monitor().await.unwrap(), Report::Done);
}

/// [imds-2]
#[tokio::test(start_paused = true)]
async fn a_private_address_that_is_not_listed_yet_is_waited_for() {
    let account = account();
    let node = ElasticNode::on(&account, 1).with("private_ip_address", "10.0.0.61");
    let assigned = after(3, || {
        account.assign_private_ip(&eni(1).parse().unwrap(), "10.0.0.61".parse().unwrap());
    });
    let (started, ()) = tokio::join!(node.start(), assigned);
    assert_eq!(started.unwrap(), Report::Done);
    assert_eq!(account.place(EIP).as_deref(), Some("10.0.0.61"));
}

/// [param-4] An instance can have interfaces in several VPCs, and the same private address in each.
#[tokio::test(start_paused = true)]
async fn a_private_address_on_two_interfaces_is_not_guessed() {
    let account = account();
    let other_zone =
        InstanceSpec { zone: "eu-west-1b".to_owned(), ..InstanceSpec::numbered(9, &["10.0.0.9"]) };
    account.add_instance(other_zone);
    for (number, beside) in [(7, 1), (8, 9)] {
        let spec = InterfaceSpec::numbered(number, &["10.0.0.7"]);
        let interface = account.add_interface(&eni(beside).parse().unwrap(), spec);
        account.attach(&interface, &instance(1).parse().unwrap());
    }
    let node = || ElasticNode::on(&account, 1).with("private_ip_address", "10.0.0.7");
    let refused = node().start().await;
    assert_eq!(code(&refused, Action::Start), ExitCode::Args);
    assert!(refused.unwrap_err().to_string().contains("fits several interfaces"));
    assert_eq!(account.calls(), [""; 0]);
    assert!(node().with("interface", &eni(8)).started().await.holds(8));
}

/// [code-4] The address is on record from before a load balancer got it, and the answer to the taking call does not come.
#[tokio::test(start_paused = true)]
async fn an_address_that_an_aws_service_got_meanwhile_is_refused_by_the_query_concurrent_with_the_takeover() {
    let account = account();
    let node = ElasticNode::on(&account, 1).probed().await;
    account.set_managed_by(EIP, Some("alb"));
    account.fail("AssociateAddress", FaultKind::Reset);
    let outcome = takes(0..1, node.start()).await;
    assert!(matches!(outcome, Err(Error::Managed(..))), "{outcome:?}");
    assert_eq!(code(&outcome, Action::Start), ExitCode::Args);
}

/// [param-5]
#[tokio::test(start_paused = true)]
async fn a_bundle_is_found_in_a_list_by_node_under_the_name_of_its_host() {
    let account = account();
    let node = ElasticNode::on(&account, 1)
        .with("private_ip_address", "node1=10.0.0.51,node2=10.0.0.2,web-bundle-9=10.0.0.1");
    let rows = [
        (vec!["web-bundle-0", "node1"], Ok(OWN_SECOND)),
        (vec!["web-bundle-9", "node1"], Ok(OWN)),
        (vec!["node2"], Err("private_ip_address 10.0.0.2 is not on eni-00000000000000001")),
        (vec!["web-bundle-0", "node3"], Err("no entry for node web-bundle-0")),
    ];
    for (names, expected) in rows {
        let mut request = node.request(Action::Start, 20);
        request.nodes = names.iter().map(|name| (*name).to_owned()).collect();
        match (run::<Elastic, _>(&node.world, &request).await, expected) {
            (Ok(_), Ok(ip)) => assert_eq!(account.place(EIP).as_deref(), Some(ip), "{names:?}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{names:?}: {error}"),
            (outcome, expected) => panic!("{names:?}: {outcome:?}, not {expected:?}"),
        }
    }
}
