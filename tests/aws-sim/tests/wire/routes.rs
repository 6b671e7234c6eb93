//! Route tables: what is refused. `tests/moto` compares what moto supports too.

use std::net::IpAddr;

use aws_sim::{InstanceState, RouteTableSpec};

use crate::lab::{Lab, TestResult, eni};

const ADDRESS: &str = "192.168.10.1/32";
fn address() -> IpAddr {
    IpAddr::from([192, 168, 10, 1])
}

fn shown(lab: &Lab, element: &str) -> TestResult<Option<String>> {
    Ok(lab.call("DescribeRouteTables", &[])?.element(element))
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
    assert_eq!(shown(&lab, "gatewayId")?.as_deref(), Some("vgw-1"));
    lab.cloud.deny("ReplaceRoute");
    let denied = replace(&table, ADDRESS)?;
    assert_eq!(denied.error(), (403, "UnauthorizedOperation".to_owned()));
    assert!(denied.text().contains(&format!(":route-table/{table} ")), "{}", denied.text());
    lab.cloud.route(&table, address(), eni(&lab.b)?);
    assert_eq!(shown(&lab, "state")?.as_deref(), Some("active"));
    lab.cloud.set_instance_state(&lab.b.id, InstanceState::Stopped);
    assert_eq!(shown(&lab, "state")?.as_deref(), Some("blackhole"));
    Ok(())
}
