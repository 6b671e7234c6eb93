//! Route tables: what EC2 shows of them, to whom, and the call that replaces a route.

use std::net::IpAddr;

use aws_sim::{InstanceState, RouteTableSpec, parsed};

use crate::lab::{Lab, RawResponse, Signer, TestResult, eni, exchange};

const ADDRESS: &str = "192.168.10.1/32";
const OTHER_ACCOUNT: &str = "210987654321";

fn address() -> IpAddr {
    IpAddr::from([192, 168, 10, 1])
}

fn describe(lab: &Lab, filters: &[(&str, &str)]) -> TestResult<RawResponse> {
    let params: Vec<(String, String)> = (1..)
        .zip(filters)
        .flat_map(|(n, (name, value))| {
            [
                (format!("Filter.{n}.Name"), (*name).to_owned()),
                (format!("Filter.{n}.Value.1"), (*value).to_owned()),
            ]
        })
        .collect();
    let params: Vec<(&str, &str)> = params.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    lab.call("DescribeRouteTables", &params)
}

fn tables(answer: &RawResponse) -> usize {
    answer.text().matches("<routeTableId>").count()
}

#[test]
fn a_route_is_shown_with_its_holder_and_replaced() -> TestResult {
    let lab = Lab::new()?;
    let table = lab.cloud.add_route_table(RouteTableSpec::numbered(1));
    lab.cloud.route(&table, address(), eni(&lab.a)?);
    let shown = describe(&lab, &[("route.destination-cidr-block", ADDRESS)])?;
    assert_eq!(shown.element("routeTableId").as_deref(), Some(table.as_str()));
    assert_eq!(shown.element("networkInterfaceId").as_deref(), Some(eni(&lab.a)?.as_str()));
    assert_eq!(shown.element("instanceId").as_deref(), Some(lab.a.id.as_str()));
    assert_eq!(shown.element("destinationCidrBlock").as_deref(), Some(ADDRESS));
    assert_eq!(
        (shown.element("state").as_deref(), shown.element("origin").as_deref()),
        (Some("active"), Some("CreateRoute"))
    );
    let params = [
        ("RouteTableId", table.as_str()),
        ("DestinationCidrBlock", ADDRESS),
        ("NetworkInterfaceId", eni(&lab.b)?),
    ];
    let dry = lab.call("ReplaceRoute", &[&params[..], &[("DryRun", "true")]].concat())?;
    assert_eq!(dry.error(), (412, "DryRunOperation".to_owned()));
    assert_eq!(lab.cloud.route_of(&table, address()).as_deref(), Some(eni(&lab.a)?.as_str()));
    assert_eq!(lab.call("ReplaceRoute", &params)?.element("return").as_deref(), Some("true"));
    assert_eq!(lab.cloud.overlay_holder(address()), Some((lab.b.id.clone(), eni(&lab.b)?.clone())));
    lab.cloud.set_instance_state(&lab.b.id, InstanceState::Stopped);
    assert_eq!(describe(&lab, &[])?.element("state").as_deref(), Some("blackhole"));
    Ok(())
}

#[test]
fn what_cannot_be_replaced_is_refused_as_ec2_does() -> TestResult {
    let lab = Lab::new()?;
    let table = lab.cloud.add_route_table(RouteTableSpec::numbered(1));
    let replace = |table: &str, to: &str| {
        let eni = eni(&lab.a)?;
        let params = [("RouteTableId", table), ("DestinationCidrBlock", to), ("NetworkInterfaceId", eni)];
        lab.call("ReplaceRoute", &params)
    };
    let missing = replace(&table, ADDRESS)?;
    assert_eq!(missing.error(), (400, "InvalidParameterValue".to_owned()));
    assert!(
        missing.text().contains("There is no route defined for &apos;192.168.10.1/32&apos;")
            || missing.text().contains("There is no route defined for '192.168.10.1/32'"),
        "{}",
        missing.text()
    );
    assert!(missing.text().contains("Use CreateRoute instead."));
    assert_eq!(replace("rtb-00000000000000009", ADDRESS)?.error().1, "InvalidRouteTableID.NotFound");
    assert_eq!(replace("table", ADDRESS)?.error().1, "InvalidRouteTableId.Malformed");
    assert_eq!(replace(&table, "10.0.0.0/8")?.error().1, "InvalidParameterValue");
    lab.cloud.propagate_route(&table, address(), "vgw-1");
    assert_eq!(replace(&table, ADDRESS)?.error().1, "InvalidParameterValue");
    assert_eq!(describe(&lab, &[])?.element("gatewayId").as_deref(), Some("vgw-1"));
    lab.cloud.deny("ReplaceRoute");
    let denied = replace(&table, ADDRESS)?;
    assert_eq!(denied.error(), (403, "UnauthorizedOperation".to_owned()));
    assert!(denied.text().contains(&format!(":route-table/{table} ")), "{}", denied.text());
    Ok(())
}

#[test]
fn a_route_is_created_once_and_deleted_once() -> TestResult {
    let lab = Lab::new()?;
    let table = lab.cloud.add_route_table(RouteTableSpec::numbered(1));
    let route = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", ADDRESS)];
    let to_a = [&route[..], &[("NetworkInterfaceId", eni(&lab.a)?)]].concat();
    let twice = |action, params: &[(&str, &str)]| -> TestResult<_> {
        Ok((lab.call(action, params)?.status, lab.call(action, params)?.error().1))
    };
    assert_eq!(twice("CreateRoute", &to_a)?, (200, "RouteAlreadyExists".to_owned()));
    assert_eq!(lab.cloud.route_of(&table, address()).as_deref(), Some(eni(&lab.a)?.as_str()));
    assert_eq!(twice("DeleteRoute", &route)?, (200, "InvalidRoute.NotFound".to_owned()));
    assert_eq!(lab.cloud.route_of(&table, address()), None);
    Ok(())
}

#[test]
fn tables_are_filtered_and_sent_in_pages() -> TestResult {
    let lab = Lab::new()?;
    for number in 1..=7 {
        let table = lab.cloud.add_route_table(RouteTableSpec::numbered(number));
        if number > 5 {
            lab.cloud.tag_route_table(&table, &[("cluster", "web")]);
        }
    }
    lab.cloud.route(&parsed("rtb-00000000000000003"), "fd00::1".parse()?, eni(&lab.a)?);
    assert_eq!(tables(&describe(&lab, &[])?), 7);
    assert_eq!(tables(&describe(&lab, &[("tag:cluster", "web"), ("vpc-id", "vpc-0a1b2c3d4e5f60718")])?), 2);
    assert_eq!(tables(&describe(&lab, &[("tag:cluster", "db")])?), 0);
    assert_eq!(tables(&describe(&lab, &[("route-table-id", "rtb-00000000000000002")])?), 1);
    assert_eq!(tables(&describe(&lab, &[("route.destination-ipv6-cidr-block", "fd00::1/128")])?), 1);
    assert_eq!(tables(&describe(&lab, &[("route.destination-cidr-block", ADDRESS)])?), 0);
    let first = lab.call("DescribeRouteTables", &[("MaxResults", "5")])?;
    let token = first.element("nextToken").ok_or("one page only")?;
    let second = lab.call("DescribeRouteTables", &[("MaxResults", "5"), ("NextToken", &token)])?;
    assert_eq!((tables(&first), tables(&second), second.element("nextToken")), (5, 2, None));
    let named = lab.call("DescribeRouteTables", &[("RouteTableId.1", "rtb-00000000000000009")])?;
    assert_eq!(named.error(), (400, "InvalidRouteTableID.NotFound".to_owned()));
    Ok(())
}

#[test]
fn a_shared_table_is_its_owners_and_a_role_of_the_owner_sees_and_changes_it() -> TestResult {
    let lab = Lab::new()?;
    let role = [("RoleArn", "arn:aws:iam::210987654321:role/routes"), ("RoleSessionName", "test")];
    let assume = || {
        RawResponse::read(&exchange(
            lab.ec2,
            &Signer { service: "sts", ..Signer::default() }.sts("AssumeRole", &role)?,
        )?)
    };
    assert_eq!(assume()?.error().1, "AccessDenied", "no table of that account");
    let spec = RouteTableSpec { owner: Some(OTHER_ACCOUNT.to_owned()), ..RouteTableSpec::numbered(1) };
    let table = lab.cloud.add_route_table(spec);
    lab.cloud.route(&table, address(), eni(&lab.a)?);
    assert_eq!(tables(&describe(&lab, &[])?), 0);
    let params = [
        ("RouteTableId", table.as_str()),
        ("DestinationCidrBlock", ADDRESS),
        ("NetworkInterfaceId", eni(&lab.b)?),
    ];
    assert_eq!(lab.call("ReplaceRoute", &params)?.error().1, "InvalidRouteTableID.NotFound");
    let answer = assume()?;
    let field = |name: &str| answer.element(name).ok_or_else(|| answer.text());
    let (key, secret, token) = (field("AccessKeyId")?, field("SecretAccessKey")?, field("SessionToken")?);
    let session = Signer { key: &key, secret: &secret, token: Some(&token), ..Signer::default() };
    let shown = RawResponse::read(&exchange(lab.ec2, &session.ec2("DescribeRouteTables", &[])?)?)?;
    assert_eq!((tables(&shown), shown.element("ownerId").as_deref()), (1, Some(OTHER_ACCOUNT)));
    assert_eq!(shown.element("instanceId"), None, "empty across accounts");
    assert_eq!(RawResponse::read(&exchange(lab.ec2, &session.ec2("ReplaceRoute", &params)?)?)?.status, 200);
    assert_eq!(lab.cloud.route_of(&table, address()).as_deref(), Some(eni(&lab.b)?.as_str()));
    Ok(())
}

#[test]
fn the_source_dest_check_is_shown() -> TestResult {
    let lab = Lab::new()?;
    let ask = || lab.call("DescribeNetworkInterfaces", &[("NetworkInterfaceId.1", eni(&lab.a)?.as_str())]);
    assert_eq!(ask()?.element("sourceDestCheck").as_deref(), Some("true"));
    lab.cloud.set_source_dest_check(eni(&lab.a)?, false);
    assert_eq!(ask()?.element("sourceDestCheck").as_deref(), Some("false"));
    Ok(())
}
