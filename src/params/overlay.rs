//! The parameters of the resource `overlay-ip`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::api::is_role;
use super::error::ParamError;
use super::value::Values;
use super::{ApiSettings, InterfaceSelector, Timing, interface, private_ip, table, vip};
use crate::base::ids::RouteTableId;

/// The route tables to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tables {
    /// Exactly these, listed by id.
    Ids(Vec<RouteTableId>),
    /// Every table of the VPC with this tag.
    Tagged {
        /// Key: the part before the first `=`, compared case-sensitively.
        key: String,
        /// Value: the rest, which may contain `=`.
        value: String,
    },
    /// Every table of the VPC that has a route for the address.
    Routing,
}

impl fmt::Display for Tables {
    /// In the syntax of the parameter `routing_table`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ids(ids) => {
                f.write_str(&ids.iter().map(RouteTableId::as_str).collect::<Vec<_>>().join(","))
            }
            Self::Tagged { key, value } => write!(f, "tag:{key}={value}"),
            Self::Routing => f.write_str("auto"),
        }
    }
}

/// The parameters of one resource, well-formed and consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayParams {
    /// The overlay address.
    pub address: IpAddr,
    /// The route tables that lead it to the active node.
    pub tables: Tables,
    /// The interface of this node to which the routes lead.
    pub interface: InterfaceSelector,
    /// The network device that gets the address; `None` for the interface's own.
    pub device: Option<String>,
    /// Whether to add the address to a network device.
    pub add_to_device: bool,
    /// Suffix of its label on the device, after the device's name and a colon. IPv6 addresses have none.
    pub label: Option<String>,
    /// Access to EC2 and instance metadata.
    pub api: ApiSettings,
    /// How often a monitor queries EC2 for the routes; zero for every time.
    pub check_interval: Duration,
    /// Time limits and intervals.
    pub timing: Timing,
}

/// The names of the parameter for the address; the last two are those of other agents.
const NAMES: [&str; 3] = ["overlay_ip", "ip", "address"];
/// The first segments of the IPv6 addresses of AWS's services on each instance: metadata, name server, clock.
///
/// # Source
/// Amazon VPC User Guide, "Subnet routing", "Reserved CIDR": `fd00:ec2::/32`.
const OF_AWS: [u16; 2] = [0xfd00, 0x0ec2];
/// A lost route is noticed within an hour at the latest.
const LONGEST_INTERVAL: u64 = 3600;
/// Maximum number of tables in one query.
///
/// # Source
/// EC2 API Reference, "List and filter using the CLI and API": up to 200 values for one filter.
const MOST_TABLES: usize = 200;

impl OverlayParams {
    /// Validates the values of a resource, as [`super::Params::parse`] does for `eip`.
    ///
    /// # Errors
    /// The first parameter that is missing or malformed, or two that contradict each other.
    pub fn parse(raw: &BTreeMap<String, String>) -> Result<Self, ParamError> {
        let values = Values::new(raw, table::OVERLAY);
        let address = address(&values)?;
        let tables = values.text("routing_table").ok_or(ParamError::NoRoutingTable)?;
        let role = values.checked("routing_table_role", is_role, "arn:aws:iam::ACCOUNT:role/NAME")?;
        let label = values.checked("iflabel", vip::is_label, vip::LABEL)?;
        let device = values.checked("device", interface::is_device, "the name of a network device")?;
        let interval = values.seconds("route_check_interval", 0, LONGEST_INTERVAL)?;
        let each_time = values.boolean("monapi")?;
        Ok(Self {
            address,
            tables: tables_of(tables)?,
            interface: InterfaceSelector::parse(&values)?,
            device: device.map(str::to_owned),
            add_to_device: values.boolean("add_to_device")?,
            label: label.filter(|_| address.is_ipv4()).map(str::to_owned),
            api: ApiSettings { routing_table_role: role.map(str::to_owned), ..ApiSettings::parse(&values)? },
            check_interval: if each_time { Duration::ZERO } else { interval },
            timing: Timing::parse(&values)?,
        })
    }
}

fn address(values: &Values<'_>) -> Result<IpAddr, ParamError> {
    let mut names = NAMES.into_iter().filter_map(|name| Some((name, values.text(name)?)));
    let (name, text) = names.next().ok_or(ParamError::NoOverlayAddress)?;
    let expected = "a routable IPv4 or IPv6 address without prefix length";
    let address = usable(text).ok_or_else(|| ParamError::invalid(name, text, expected))?;
    match names.find(|(_, other)| usable(other) != Some(address)) {
        Some((name, other)) => {
            Err(ParamError::invalid(name, other, "the same address as overlay_ip, or none"))
        }
        None => Ok(address),
    }
}

fn usable(text: &str) -> Option<IpAddr> {
    if let Some(address) = private_ip::usable(text) {
        return Some(address.into());
    }
    let strange = |ip: &std::net::Ipv6Addr| {
        ip.is_unspecified()
            || ip.is_loopback()
            || ip.is_multicast()
            || ip.is_unicast_link_local()
            || ip.to_ipv4_mapped().is_some()
            || ip.segments().starts_with(&OF_AWS)
    };
    text.parse().ok().filter(|address| !strange(address)).map(IpAddr::V6)
}

fn tables_of(text: &str) -> Result<Tables, ParamError> {
    let invalid = |value, expected| ParamError::invalid("routing_table", value, expected);
    if text == "auto" {
        return Ok(Tables::Routing);
    }
    if let Some(tag) = text.strip_prefix("tag:") {
        let (key, value) = tag
            .split_once('=')
            .filter(|(key, value)| !key.is_empty() && !value.contains(char::is_control))
            .ok_or_else(|| invalid(text, "tag:KEY=VALUE"))?;
        return Ok(Tables::Tagged { key: key.to_owned(), value: value.to_owned() });
    }
    let mut ids = Vec::new();
    for entry in text.split(',').map(str::trim_ascii) {
        let id = RouteTableId::parse(entry)
            .map_err(|_| invalid(entry, "rtb-... ids between commas, tag:KEY=VALUE or auto"))?;
        ids.push(id);
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > MOST_TABLES {
        return Err(invalid(text, "at most 200 route tables"));
    }
    Ok(Tables::Ids(ids))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "rtb-00000000000000001";

    fn parse(values: &[(&str, &str)]) -> Result<OverlayParams, ParamError> {
        let raw = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        OverlayParams::parse(&raw)
    }

    fn with(name: &str, value: &str) -> Result<OverlayParams, ParamError> {
        parse(&[("overlay_ip", "192.168.10.1"), ("routing_table", TABLE), (name, value)])
    }

    #[test]
    fn an_address_and_a_table_are_enough() {
        let params = parse(&[("overlay_ip", "192.168.10.1"), ("routing_table", TABLE)]).unwrap();
        assert_eq!(params.address, IpAddr::from([192, 168, 10, 1]));
        assert_eq!(params.tables, Tables::Ids(vec![TABLE.parse().unwrap()]));
        assert!(params.add_to_device && params.label.is_none() && params.device.is_none());
        assert_eq!(params.check_interval, Duration::from_mins(1));
        assert_eq!(params.api.routing_table_role, None);
    }

    /// [param-7] The example of the guides of AWS, Red Hat and SUSE, and the agent's other parameters.
    #[test]
    fn the_parameters_of_aws_vpc_move_ip_are_accepted() {
        let params = parse(&[
            ("ip", "192.168.10.1"),
            ("address", "192.168.10.1"),
            ("routing_table", "rtb-00000000000000002, rtb-00000000000000001"),
            ("routing_table_role", "arn:aws:iam::210987654321:role/routes"),
            ("interface", "eth0"),
            ("iflabel", "sap"),
            ("monapi", "true"),
            ("lookup_type", "NetworkInterfaceId"),
            ("awscli", "/usr/bin/aws"),
            ("awscli_timeout", "10"),
            ("auth_type", "key"),
            ("profile", "cluster"),
            ("region", "eu-west-1"),
            ("curl_retries", "4"),
            ("curl_sleep", "3"),
        ])
        .unwrap();
        assert_eq!(params.tables.to_string(), "rtb-00000000000000001,rtb-00000000000000002");
        assert_eq!(params.check_interval, Duration::ZERO);
        assert_eq!(params.api.profile.as_deref(), Some("cluster"));
        assert_eq!(params.api.routing_table_role.as_deref(), Some("arn:aws:iam::210987654321:role/routes"));
        assert_eq!(params.api.role_arn, None);
    }

    #[test]
    fn tables_are_ids_a_tag_or_all_that_have_the_route() {
        let tables = |text| with("routing_table", text).unwrap().tables;
        assert_eq!(tables("auto"), Tables::Routing);
        let tagged = Tables::Tagged { key: "cluster".to_owned(), value: "a=b".to_owned() };
        assert_eq!(tables("tag:cluster=a=b"), tagged);
        assert_eq!(tables(&format!("{TABLE},{TABLE}")), Tables::Ids(vec![TABLE.parse().unwrap()]));
        for wrong in ["rtb-1", "rtb-00000000000000001,", "tag:cluster", "tag:=b", "main", "auto,rtb-12345678"]
        {
            let error = with("routing_table", wrong).unwrap_err().to_string();
            assert!(error.starts_with("routing_table="), "{error}");
        }
    }

    /// [param-8] A start would put it on the device, and this node could no longer reach the service.
    #[test]
    fn the_address_of_the_metadata_service_is_no_overlay_address() {
        for wrong in ["169.254.169.254", "169.254.0.1", "fd00:ec2::254", "fe80::1"] {
            let error = with("overlay_ip", wrong).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("overlay_ip={wrong}: expected a routable IPv4 or IPv6 address without prefix length")
            );
        }
        assert!(with("overlay_ip", "fd00:ec3::254").is_ok());
    }

    #[test]
    fn an_ipv6_address_has_no_label() {
        let params = with("iflabel", "web").unwrap();
        assert_eq!(params.label.as_deref(), Some("web"));
        let params = parse(&[("ip", "fd00::1"), ("routing_table", TABLE), ("iflabel", "web")]).unwrap();
        assert_eq!((params.address, params.label), ("fd00::1".parse().unwrap(), None));
    }

    #[test]
    fn what_is_missing_or_malformed_is_one_line() {
        assert_eq!(parse(&[("routing_table", TABLE)]).unwrap_err(), ParamError::NoOverlayAddress);
        assert_eq!(
            parse(&[("ip", " "), ("routing_table", TABLE)]).unwrap_err(),
            ParamError::NoOverlayAddress
        );
        let no_table = parse(&[("ip", "192.168.10.1"), ("routing_table", "")]).unwrap_err();
        assert_eq!(no_table, ParamError::NoRoutingTable);
        for wrong in
            ["192.168.10.300", "192.168.10.1/32", "::1", "ff02::1", "fe80::1", "::ffff:10.0.0.1", "0.0.0.0"]
        {
            let error = parse(&[("ip", wrong), ("routing_table", TABLE)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("ip={wrong}: expected")), "{error}");
        }
        assert!(with("ip", "192.168.10.2").unwrap_err().to_string().contains("the same address"));
        for error in [ParamError::NoOverlayAddress, ParamError::NoRoutingTable] {
            assert!(error.to_string().len() <= 128);
        }
        assert!(with("device", "a/b").is_err() && with("routing_table_role", "role").is_err());
    }
}
