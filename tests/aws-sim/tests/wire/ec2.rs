//! The EC2 operations: what they answer, refuse and change.

use std::net::Ipv4Addr;

use aws_sim::{InstanceSpec, InstanceState, InterfaceSpec};

use crate::lab::{Lab, TestResult, eni};

#[test]
fn an_address_is_associated_described_and_disassociated() -> TestResult {
    let lab = Lab::new()?;
    let free = lab.describe()?;
    assert_eq!((free.status, free.element("publicIp").as_deref()), (200, Some("203.0.113.1")));
    assert_eq!(free.element("associationId"), None);
    assert!(
        free.text()
            .contains("<DescribeAddressesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">")
    );
    assert_eq!(free.element("requestId").as_deref(), free.header("x-amzn-requestid"));

    let made = lab.associate(eni(&lab.a)?)?.element("associationId").ok_or("no association")?;
    let held = lab.describe()?;
    assert_eq!(held.element("associationId").as_ref(), Some(&made));
    assert_eq!(held.element("instanceId").as_deref(), Some(lab.a.id.as_str()));
    assert_eq!(held.element("networkInterfaceId").as_deref(), Some(eni(&lab.a)?.as_str()));
    assert_eq!(held.element("networkInterfaceOwnerId").as_deref(), Some("123456789012"));
    assert_eq!(held.element("privateIpAddress").as_deref(), Some("10.0.1.10"));

    let gone = lab.call("DisassociateAddress", &[("AssociationId", &made)])?;
    assert_eq!((gone.status, gone.element("return").as_deref()), (200, Some("true")));
    assert_eq!(lab.cloud.holder(&lab.eip), None);
    let again = lab.call("DisassociateAddress", &[("AssociationId", &made)])?;
    assert_eq!(again.error(), (400, "InvalidAssociationID.NotFound".to_owned()));
    Ok(())
}

#[test]
fn a_move_has_a_new_association_and_a_repeat_keeps_it() -> TestResult {
    let lab = Lab::new()?;
    let first = lab.associate(eni(&lab.a)?)?.element("associationId");
    assert_eq!(lab.associate(eni(&lab.a)?)?.element("associationId"), first);
    let second = lab.associate(eni(&lab.b)?)?.element("associationId");
    assert_ne!(second, first);
    let stale = lab.call("DisassociateAddress", &[("AssociationId", &first.unwrap_or_default())])?;
    assert_eq!(stale.error(), (400, "InvalidAssociationID.NotFound".to_owned()), "it names the old holder's");
    assert_eq!(lab.cloud.holder(&lab.eip).map(|h| h.instance), Some(lab.b.id.clone()));

    let history = lab.cloud.history(&lab.eip);
    let holders: Vec<_> = history.iter().map(|c| c.holder.as_ref().map(|h| h.instance.clone())).collect();
    assert_eq!(
        holders,
        [None, Some(lab.a.id.clone()), Some(lab.b.id.clone())],
        "never without a holder in the move"
    );
    assert!(history.windows(2).all(|pair| matches!(pair, [x, y] if x.at <= y.at)));
    Ok(())
}

#[test]
fn a_move_with_a_users_key_is_of_the_instance_it_was_sent_from() -> TestResult {
    let lab = Lab::new()?;
    lab.associate(eni(&lab.a)?)?;
    let here = lab.cloud.add_instance(InstanceSpec {
        subnet: "127.0.0.0/24".to_owned(),
        ..InstanceSpec::with_ip(Ipv4Addr::LOCALHOST)
    });
    lab.associate(eni(&lab.b)?)?;
    let movers: Vec<_> = lab.cloud.history(&lab.eip).into_iter().map(|change| change.by).collect();
    assert_eq!(movers, [None, None, Some(here.id)], "first from a machine that is no instance");
    Ok(())
}

#[test]
fn reassociation_forbidden_is_refused_for_holder_and_target() -> TestResult {
    let lab = Lab::new()?;
    let other = lab.cloud.allocate(None);
    lab.cloud.associate(&lab.eip, eni(&lab.a)?, None);
    let never = [("AllowReassociation", "false")];
    let held = [
        [("AllocationId", lab.eip.allocation_id.as_str()), ("NetworkInterfaceId", eni(&lab.b)?)],
        never.repeat(2).try_into().map_err(|_| "two")?,
    ]
    .concat();
    assert_eq!(lab.call("AssociateAddress", &held)?.error().1, "Resource.AlreadyAssociated");
    let sitting = [
        ("AllocationId", other.allocation_id.as_str()),
        ("NetworkInterfaceId", eni(&lab.a)?),
        ("AllowReassociation", "false"),
    ];
    let refused = lab.call("AssociateAddress", &sitting)?;
    assert_eq!(refused.error().1, "Resource.AlreadyAssociated");
    assert!(refused.text().contains("is already associated with public address 203.0.113.1"));
    Ok(())
}

#[test]
fn an_address_displaces_another_and_releases_the_automatic_one() -> TestResult {
    let lab = Lab::new()?;
    let interface = InterfaceSpec { auto_public_ip: true, ..InterfaceSpec::default() };
    let node =
        lab.cloud.add_instance(InstanceSpec { interfaces: vec![interface], ..InstanceSpec::default() });
    let public_ip = || -> Option<Ipv4Addr> {
        let instance = lab.cloud.instance(&node.id)?;
        instance.interfaces.first()?.public_ips.values().next().copied()
    };
    let automatic = public_ip();
    assert!(automatic.is_some());
    let sitting = lab.cloud.allocate(None);
    lab.cloud.associate(&sitting, eni(&node)?, None);
    assert_eq!(public_ip(), Some(sitting.public_ip));
    assert_eq!(lab.associate(eni(&node)?)?.status, 200);
    assert_eq!(lab.cloud.holder(&sitting), None, "displaced, and still allocated");
    assert_eq!(lab.associate(eni(&lab.a)?)?.status, 200);
    assert_eq!(public_ip(), automatic);
    Ok(())
}

#[test]
fn each_refusal_of_associate_has_its_code() -> TestResult {
    let lab = Lab::new()?;
    let (id, eni) = (lab.eip.allocation_id.as_str(), eni(&lab.a)?.as_str());
    let code = |params: &[(&str, &str)]| lab.call("AssociateAddress", params).map(|answer| answer.error().1);
    let unknown = "eipalloc-0123456789abcdef0";
    assert_eq!(
        code(&[("AllocationId", unknown), ("NetworkInterfaceId", eni)])?,
        "InvalidAllocationID.NotFound"
    );
    assert_eq!(code(&[("AllocationId", "x"), ("NetworkInterfaceId", eni)])?, "InvalidAllocationID.Malformed");
    assert_eq!(code(&[("PublicIp", "192.0.2.1"), ("NetworkInterfaceId", eni)])?, "InvalidAddress.NotFound");
    assert_eq!(code(&[("PublicIp", "192.0.2"), ("NetworkInterfaceId", eni)])?, "InvalidAddress.Malformed");
    assert_eq!(
        code(&[("AllocationId", id), ("NetworkInterfaceId", "eni-0123456789abcdef0")])?,
        "InvalidNetworkInterfaceID.NotFound"
    );
    assert_eq!(code(&[("AllocationId", id)])?, "MissingParameter");
    assert_eq!(code(&[("NetworkInterfaceId", eni)])?, "MissingParameter");
    let both = [("AllocationId", id), ("NetworkInterfaceId", eni), ("PublicIp", "203.0.113.1")];
    assert_eq!(code(&both)?, "InvalidParameterCombination");
    let elsewhere = [("AllocationId", id), ("NetworkInterfaceId", eni), ("PrivateIpAddress", "10.0.1.99")];
    assert_eq!(code(&elsewhere)?, "InvalidParameterValue");
    let good = [("AllocationId", id), ("NetworkInterfaceId", eni)];
    lab.cloud.attach_gateway(false);
    assert_eq!(code(&good)?, "Gateway.NotAttached");
    lab.cloud.attach_gateway(true);
    lab.cloud.set_instance_state(&lab.a.id, InstanceState::Pending);
    assert_eq!(code(&good)?, "IncorrectInstanceState");
    lab.cloud.set_instance_state(&lab.a.id, InstanceState::Running);
    lab.cloud.set_managed_by(&lab.eip, Some("nat"));
    assert_eq!(code(&good)?, "AuthFailure");
    lab.cloud.set_managed_by(&lab.eip, None);
    lab.cloud.set_border_group(&lab.eip, "eu-west-1-lhr-1");
    assert_eq!(code(&good)?, "InvalidParameterCombination");
    lab.cloud.allocate_foreign(Ipv4Addr::new(192, 0, 2, 9));
    let foreign = lab.call("DescribeAddresses", &[("PublicIp.1", "192.0.2.9")])?;
    assert_eq!(foreign.error(), (400, "AuthFailure".to_owned()));
    assert!(foreign.text().contains("The address '192.0.2.9' does not belong to you."));
    assert_eq!(lab.cloud.holder(&lab.eip), None);
    Ok(())
}

#[test]
fn a_dry_run_shows_what_would_happen_and_does_nothing() -> TestResult {
    let lab = Lab::new()?;
    let dry = [
        ("AllocationId", lab.eip.allocation_id.as_str()),
        ("NetworkInterfaceId", eni(&lab.a)?),
        ("DryRun", "true"),
    ];
    assert_eq!(lab.call("AssociateAddress", &dry)?.error(), (412, "DryRunOperation".to_owned()));
    lab.cloud.deny("AssociateAddress");
    let denied = lab.call("AssociateAddress", &dry)?;
    assert_eq!(denied.error(), (403, "UnauthorizedOperation".to_owned()));
    assert!(denied.text().contains("Encoded authorization failure message: "));
    lab.cloud.allow("AssociateAddress");
    assert_eq!(lab.call("AssociateAddress", &dry)?.status, 412);
    assert_eq!(lab.cloud.holder(&lab.eip), None);
    assert!(lab.cloud.log().iter().all(|request| request.dry_run && request.code.is_some()));
    Ok(())
}

#[test]
fn filters_select_and_unknown_ones_are_refused() -> TestResult {
    let lab = Lab::new()?;
    lab.cloud.allocate(None);
    let held = lab.cloud.associate(&lab.eip, eni(&lab.a)?, None);
    let found = |name: &str, value: &str| -> TestResult<usize> {
        let answer =
            lab.call("DescribeAddresses", &[("Filter.1.Name", name), ("Filter.1.Value.1", value)])?;
        Ok(answer.text().matches("<item><publicIp>").count())
    };
    assert_eq!(lab.call("DescribeAddresses", &[])?.text().matches("<publicIp>").count(), 2);
    for (name, value) in [
        ("allocation-id", lab.eip.allocation_id.as_str()),
        ("instance-id", &lab.a.id),
        ("network-interface-id", eni(&lab.a)?),
        ("private-ip-address", "10.0.1.10"),
        ("public-ip", "203.0.113.1"),
        ("association-id", &held),
    ] {
        assert_eq!(found(name, value)?, 1, "{name}");
    }
    assert_eq!(found("instance-id", "i-nobody")?, 0);
    let bogus = lab.call("DescribeAddresses", &[("Filter.1.Name", "bogus"), ("Filter.1.Value.1", "x")])?;
    assert_eq!(bogus.error(), (400, "InvalidParameterValue".to_owned()));
    Ok(())
}

#[test]
fn secondary_addresses_move_with_their_elastic_ip() -> TestResult {
    let lab = Lab::new()?;
    let (a, b) = (eni(&lab.a)?.as_str(), eni(&lab.b)?.as_str());
    let assign = |eni: &str, more: &[(&str, &str)]| {
        let params = [&[("NetworkInterfaceId", eni), ("PrivateIpAddress.1", "10.0.1.50")], more].concat();
        lab.call("AssignPrivateIpAddresses", &params)
    };
    assert_eq!(assign(a, &[])?.element("privateIpAddress").as_deref(), Some("10.0.1.50"));
    let secondary = Some(Ipv4Addr::new(10, 0, 1, 50));
    lab.cloud.associate(&lab.eip, eni(&lab.a)?, secondary);
    assert_eq!(assign(b, &[])?.error().1, "Resource.AlreadyAssigned");
    assert_eq!(assign(b, &[("AllowReassignment", "true")])?.status, 200);
    let holder = lab.cloud.holder(&lab.eip).ok_or("the address is unassigned")?;
    assert_eq!((holder.instance, Some(holder.private_ip)), (lab.b.id.clone(), secondary));
    let off = |eni| {
        lab.call(
            "UnassignPrivateIpAddresses",
            &[("NetworkInterfaceId", eni), ("PrivateIpAddress.1", "10.0.1.50")],
        )
    };
    assert_eq!(off(a)?.error().1, "InvalidParameterValue");
    assert_eq!(off(b)?.status, 200);
    assert_eq!(lab.cloud.holder(&lab.eip), None);
    let outside = [("NetworkInterfaceId", a), ("PrivateIpAddress.1", "10.9.9.9")];
    assert!(
        lab.call("AssignPrivateIpAddresses", &outside)?.text().contains("does not fall within the subnet")
    );
    assert_eq!(lab.call("CreateVpc", &[])?.error().1, "InvalidAction");
    Ok(())
}

#[test]
fn interfaces_show_the_address_on_its_holder_alone() -> TestResult {
    let lab = Lab::new()?;
    lab.associate(eni(&lab.a)?)?;
    lab.associate(eni(&lab.b)?)?;
    let by_address =
        [("Filter.1.Name", "addresses.association.public-ip"), ("Filter.1.Value.1", "203.0.113.1")];
    let interfaces = lab.call("DescribeNetworkInterfaces", &by_address)?;
    assert_eq!(interfaces.element("networkInterfaceId").as_deref(), Some(eni(&lab.b)?.as_str()));
    let of = |instance: &str| {
        let filter = [("Filter.1.Name", "attachment.instance-id"), ("Filter.1.Value.1", instance)];
        lab.call("DescribeNetworkInterfaces", &filter)
    };
    assert!(!of(&lab.a.id)?.text().contains("203.0.113.1"));
    lab.cloud.set_instance_state(&lab.b.id, InstanceState::Terminated);
    assert_eq!(lab.cloud.holder(&lab.eip), None);
    assert_eq!(of(&lab.b.id)?.element("networkInterfaceId"), None);
    Ok(())
}

/// What `fence_aws` asks before it fences, and `awseip` in its monitor.
#[test]
fn instances_are_listed_with_their_states_and_addresses() -> TestResult {
    let lab = Lab::new()?;
    lab.cloud.associate(&lab.eip, eni(&lab.a)?, None);
    let one = lab.call("DescribeInstances", &[("InstanceId.1", lab.a.id.as_str())])?.text();
    assert!(one.contains(&format!("<publicIp>{}</publicIp>", lab.eip.public_ip)), "{one}");
    let stopped = lab.b.id.clone();
    lab.cloud.set_instance_state(&stopped, aws_sim::InstanceState::Stopped);
    let all = lab.call("DescribeInstances", &[])?.text();
    assert!(all.contains(lab.a.id.as_str()) && all.contains("<code>80</code>"), "{all}");
    let running = [("Filter.1.Name", "instance-state-name"), ("Filter.1.Value.1", "running")];
    let running = lab.call("DescribeInstances", &running)?.text();
    assert!(running.contains(lab.a.id.as_str()) && !running.contains(stopped.as_str()), "{running}");
    let unknown = lab.call("DescribeInstances", &[("InstanceId.1", "i-00000000000000099")])?;
    assert_eq!(unknown.error().1, "InvalidInstanceID.NotFound");
    Ok(())
}

/// As the older agents of one parameter do.
#[test]
fn an_address_is_moved_by_instance_and_released_by_public_address() -> TestResult {
    let lab = Lab::new()?;
    let ip = lab.eip.public_ip.to_string();
    let here = [("PublicIp", ip.as_str()), ("InstanceId", lab.a.id.as_str())];
    assert!(lab.call("AssociateAddress", &here)?.text().contains("<associationId>eipassoc-"));
    assert_eq!(lab.cloud.holder(&lab.eip).map(|holder| holder.instance), Some(lab.a.id.clone()));
    lab.call("DisassociateAddress", &[("PublicIp", &ip)])?;
    assert_eq!(lab.cloud.holder(&lab.eip), None);
    let again = lab.call("DisassociateAddress", &[("PublicIp", &ip)])?;
    assert_eq!(again.error().1, "InvalidAssociationID.NotFound");
    Ok(())
}
