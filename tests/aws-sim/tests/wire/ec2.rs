//! The EC2 operations: what they refuse, and what moto lacks. `tests/moto` compares what both support.

use std::net::Ipv4Addr;

use aws_sim::{InstanceSpec, InstanceState};

use crate::lab::{Lab, TestResult, eni as eni_of};

#[test]
fn a_move_with_a_users_key_is_of_the_instance_it_was_sent_from() -> TestResult {
    let lab = Lab::new()?;
    lab.associate(eni_of(&lab.a)?)?;
    let here = lab.cloud.add_instance(InstanceSpec {
        subnet: "127.0.0.0/24".to_owned(),
        ..InstanceSpec::with_ip(Ipv4Addr::LOCALHOST)
    });
    lab.associate(eni_of(&lab.b)?)?;
    let movers: Vec<_> = lab.cloud.history(&lab.eip).into_iter().map(|change| change.by).collect();
    assert_eq!(movers, [None, None, Some(here.id)], "first from a machine that is not an instance");
    Ok(())
}

#[test]
fn each_refusal_of_associate_has_its_code() -> TestResult {
    let lab = Lab::new()?;
    let (id, eni) = (lab.eip.allocation_id.as_str(), eni_of(&lab.a)?.as_str());
    let code = |params: &[(&str, &str)]| lab.call("AssociateAddress", params).map(|answer| answer.error().1);
    assert_eq!(code(&[("AllocationId", "x"), ("NetworkInterfaceId", eni)])?, "InvalidAllocationID.Malformed");
    assert_eq!(code(&[("PublicIp", "192.0.2.1"), ("NetworkInterfaceId", eni)])?, "InvalidAddress.NotFound");
    assert_eq!(code(&[("PublicIp", "192.0.2"), ("NetworkInterfaceId", eni)])?, "InvalidAddress.Malformed");
    assert_eq!(code(&[("NetworkInterfaceId", eni)])?, "MissingParameter");
    let both = [("AllocationId", id), ("NetworkInterfaceId", eni), ("PublicIp", "203.0.113.1")];
    assert_eq!(code(&both)?, "InvalidParameterCombination");
    let elsewhere = [("AllocationId", id), ("NetworkInterfaceId", eni), ("PrivateIpAddress", "10.0.1.99")];
    assert_eq!(code(&elsewhere)?, "InvalidParameterValue");
    let good = [("AllocationId", id), ("NetworkInterfaceId", eni)];
    lab.cloud.associate(&lab.cloud.allocate(None), eni_of(&lab.a)?, None);
    let sitting = lab.call("AssociateAddress", &[&good[..], &[("AllowReassociation", "false")]].concat())?;
    assert_eq!(sitting.error().1, "Resource.AlreadyAssociated");
    assert!(sitting.text().contains("is already associated with public address 203.0.113.2"));
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
    let bogus = lab.call("DescribeAddresses", &[("Filter.1.Name", "bogus"), ("Filter.1.Value.1", "x")])?;
    assert_eq!(bogus.error(), (400, "InvalidParameterValue".to_owned()));
    assert_eq!(lab.call("CreateVpc", &[])?.error().1, "InvalidAction");
    assert_eq!(lab.cloud.holder(&lab.eip), None);
    Ok(())
}

/// The calls of `fence_aws` before it fences, and of `awseip` in its monitor.
#[test]
fn instances_are_listed_with_their_states_and_addresses() -> TestResult {
    let lab = Lab::new()?;
    lab.cloud.associate(&lab.eip, eni_of(&lab.a)?, None);
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

/// As the older agents with one parameter do.
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
