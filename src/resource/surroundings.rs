//! What the environment of a node means for a takeover: the route to the EC2 API, proxies, folders, the installed agent.
//!
//! Collected by `eipctl check`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::finding::Finding;
use super::kind::Location;
use crate::resource::error::Error;

/// The environment of this process.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// The region from options or environment.
    pub region: Option<String>,
    /// The route to the EC2 API.
    pub way: Option<Way>,
    /// The proxy on that route, without user name and password.
    pub proxy: Option<String>,
    /// The folders for records, each with the reason why this process cannot write there, if there is one.
    pub folders: Vec<(PathBuf, Option<String>)>,
    /// Where Pacemaker expects the agent, and whether it is there.
    pub agent: Option<(PathBuf, bool)>,
}

/// The route to the EC2 API, or to the proxy in front of it.
#[derive(Debug)]
pub enum Way {
    /// The name resolves, and there is a route.
    Found {
        /// Name of the endpoint, or of the proxy.
        host: String,
        /// Address that it resolves to.
        to: IpAddr,
        /// Source address of packets to it.
        from: IpAddr,
    },
    /// The name does not resolve, or there is no route.
    Lost {
        /// Name of the endpoint, or of the proxy.
        host: String,
        /// What failed.
        reason: String,
    },
}

impl Surroundings {
    /// The findings, given the public address, if there is one, and the place for it, if known.
    pub(super) fn findings(&self, floating: Option<Ipv4Addr>, place: Option<&Location>) -> Vec<Finding> {
        let mut findings = vec![self.about_way(floating, place)];
        findings.push(match &self.proxy {
            None => Finding::good("proxy", "none"),
            Some(proxy) => Finding::warning(
                "proxy",
                format!(
                    "EC2 is reached through {proxy}: Pacemaker needs the same variables, in /etc/sysconfig/pacemaker or \
                     /etc/default/pacemaker"
                ),
            ),
        });
        for (folder, error) in &self.folders {
            let shown = folder.display();
            findings.push(match error {
                None => Finding::good("records", format!("{shown} is writable")),
                Some(error) => Finding::warning(
                    "records",
                    format!(
                        "{shown}: {error}; run it as root, or check whether the file system is read-only"
                    ),
                ),
            });
        }
        match &self.agent {
            Some((path, true)) => findings.push(Finding::good("agent", path.display().to_string())),
            Some((path, false)) => findings.push(Finding::warning(
                "agent",
                format!("{} is missing: Pacemaker would not find the agent", path.display()),
            )),
            None => {}
        }
        findings
    }

    /// Judges the route to the EC2 API, which may depend on the public address.
    fn about_way(&self, floating: Option<Ipv4Addr>, place: Option<&Location>) -> Finding {
        const SUBJECT: &str = "route to EC2";
        const REMEDY: &str =
            "use a VPC endpoint, a NAT gateway, or a private_ip_address of its own for the address";
        let (host, to, from) = match &self.way {
            None => return Finding::unknown(SUBJECT, "a region"),
            Some(Way::Lost { host, reason }) => {
                return Finding::failure(SUBJECT, Error::NotHere(format!("no route to {host}: {reason}")));
            }
            Some(Way::Found { host, to, from }) => (host, to, from),
        };
        let good = |text: String| Finding::good(SUBJECT, text);
        if is_inside(to) {
            return good(format!("private endpoint {host} ({to}), does not depend on the address"));
        }
        let Some((place, private_ip)) = place.and_then(|at| at.private_ip.map(|ip| (at, ip))) else {
            return Finding::unknown(SUBJECT, "the interface");
        };
        if *from != IpAddr::V4(private_ip) {
            return good(format!(
                "{host} is reached from {from}, not from {private_ip} that carries the address"
            ));
        }
        if place.carried.is_none() {
            return good(format!("{host} ({to}) is reached from {from}"));
        }
        let public: Vec<Ipv4Addr> = place.public_ips().collect();
        let warning = match (public.iter().find(|ip| Some(**ip) != floating), public.is_empty()) {
            (Some(own), _) => format!(
                "{host} is reached through {own}, which the address displaces, so releasing it may cut the node off: {REMEDY}"
            ),
            (None, false) => format!(
                "{host} is reached through the address itself, so a node without it is cut off: {REMEDY}"
            ),
            (None, true) => {
                return good(format!(
                    "{host} ({to}) is reached from {from} without a public address: through a NAT gateway or similar"
                ));
            }
        };
        Finding::warning(SUBJECT, warning)
    }
}

/// Whether an address is inside the VPC or on this host: a VPC endpoint, a proxy.
fn is_inside(ip: &IpAddr) -> bool {
    match ip {
        // 100.64.0.0/10 is a usual second range of a VPC.
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared(*ip),
        // Elastic IPs are IPv4 only, so nothing over IPv6 depends on one.
        IpAddr::V6(_) => true,
    }
}

/// Whether an address is of the range that carriers and VPCs share, 100.64.0.0/10 (RFC 6598).
pub fn is_shared(ip: Ipv4Addr) -> bool {
    matches!(ip.octets(), [100, 64..128, ..])
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn place(carried: &str) -> Location {
        let private_ip: Ipv4Addr = "10.0.1.10".parse().unwrap();
        Location {
            instance: None,
            interface: "eni-00000000000000001".parse().unwrap(),
            mac: None,
            private_ip: Some(private_ip),
            subnet: None,
            shown: None,
            vpc: None,
            carried: Some(carried.parse().ok().map(|ip| (ip, vec![private_ip])).into_iter().collect()),
        }
    }

    fn way(to: &str, from: &str, carried: &str) -> (&'static str, String) {
        let way = Way::Found {
            host: "ec2.eu-west-1.amazonaws.com".to_owned(),
            to: to.parse().unwrap(),
            from: from.parse().unwrap(),
        };
        let seen = Surroundings { way: Some(way), ..Surroundings::default() };
        match seen.about_way("203.0.113.10".parse().ok(), Some(&place(carried))).verdict {
            Verdict::Good(text) => ("good", text),
            Verdict::Warning(text) => ("warning", text),
            Verdict::Failure(error) => ("failure", error.to_string()),
            Verdict::Unknown(text) => ("unknown", text),
        }
    }

    #[test]
    fn a_way_that_depends_on_the_address_is_worth_a_warning() {
        let rows = [
            ("a VPC endpoint", "10.0.1.200", "10.0.1.10", "203.0.113.10", "good", "private endpoint"),
            ("IPv6", "2600::1", "2a05::1", "203.0.113.10", "good", "private endpoint"),
            ("another interface", "52.0.0.1", "10.0.1.12", "203.0.113.10", "good", "10.0.1.12"),
            ("a NAT gateway", "52.0.0.1", "10.0.1.10", "", "good", "NAT gateway or similar"),
            (
                "the address alone",
                "52.0.0.1",
                "10.0.1.10",
                "203.0.113.10",
                "warning",
                "through the address itself",
            ),
            (
                "one that makes way",
                "52.0.0.1",
                "10.0.1.10",
                "198.51.100.7",
                "warning",
                "198.51.100.7, which the address displaces",
            ),
        ];
        for (situation, to, from, carried, verdict, part) in rows {
            let (found, text) = way(to, from, carried);
            assert_eq!(found, verdict, "{situation}: {text}");
            assert!(text.contains(part), "{situation}: {text}");
        }
    }

    #[test]
    fn a_name_that_leads_nowhere_is_a_failure() {
        let lost = Way::Lost { host: "ec2.example".to_owned(), reason: "no such host".to_owned() };
        let seen = Surroundings { way: Some(lost), ..Surroundings::default() };
        assert!(matches!(seen.about_way(None, None).verdict, Verdict::Failure(_)));
        assert!(matches!(Surroundings::default().about_way(None, None).verdict, Verdict::Unknown(_)));
    }
}
