//! Route tables: what is refused, filtered and sent in pages. What moto answers too is compared in `tests/moto`.

use std::net::IpAddr;

use aws_sim::{InstanceState, RouteTableSpec, parsed};

use crate::lab::{Lab, RawResponse, TestResult, eni};

const ADDRESS: &str = "192.168.10.1/32";
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
fn what_cannot_be_replaced_is_refused_as_ec2_does() -> TestResult {
    let lab = Lab::new()?;
    let table = lab.cloud.add_route_table(RouteTableSpec::numbered(1));
    let replace = |table: &str, to: &str| {
        let eni = eni(&lab.a)?;
        let params = [("RouteTableId", table), ("DestinationCidrBlock", to), ("NetworkInterfaceId", eni)];
        lab.call("ReplaceRoute", &params)
    };
    let missing = replace(&table, ADDRESS)?.text();
    assert!(
        missing.contains("There is no route defined for ") && missing.contains("Use CreateRoute instead.")
    );
    assert_eq!(replace("table", ADDRESS)?.error().1, "InvalidRouteTableId.Malformed");
    assert_eq!(replace(&table, "10.0.0.0/8")?.error().1, "InvalidParameterValue");
    lab.cloud.propagate_route(&table, address(), "vgw-1");
    assert_eq!(replace(&table, ADDRESS)?.error().1, "InvalidParameterValue");
    assert_eq!(describe(&lab, &[])?.element("gatewayId").as_deref(), Some("vgw-1"));
    lab.cloud.deny("ReplaceRoute");
    let denied = replace(&table, ADDRESS)?;
    assert_eq!(denied.error(), (403, "UnauthorizedOperation".to_owned()));
    assert!(denied.text().contains(&format!(":route-table/{table} ")), "{}", denied.text());
    lab.cloud.route(&table, address(), eni(&lab.b)?);
    assert_eq!(describe(&lab, &[])?.element("state").as_deref(), Some("active"));
    lab.cloud.set_instance_state(&lab.b.id, InstanceState::Stopped);
    assert_eq!(describe(&lab, &[])?.element("state").as_deref(), Some("blackhole"));
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
    Ok(())
}
