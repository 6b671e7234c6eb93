//! What the host knows about itself without a network: devices, firmware tables, clocks.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::base::ids::{InstanceId, MacAddress};

/// Facts about the host that need no network.
pub trait Host {
    /// Hardware address of the network device with this name or alternative name; `None` if there is no such device.
    fn mac_of(&self, device: &str) -> Option<MacAddress>;

    /// Instance id from the firmware tables; `None` except on Nitro instances.
    fn instance_id(&self) -> Option<InstanceId>;

    /// Whether anything on this host indicates an EC2 instance.
    fn looks_like_ec2(&self) -> bool;

    /// Node name, as in `uname -n`.
    fn node_name(&self) -> String;

    /// The kernel's boot id; changes on every boot.
    fn boot_id(&self) -> String;

    /// Time since boot; monotonic.
    fn uptime(&self) -> Duration;

    /// Wall-clock time, for display only.
    fn now(&self) -> SystemTime;

    /// The service of this host that removes addresses from devices if the cloud does not list them there; `None` if there is
    /// none.
    fn address_remover(&self) -> Option<&'static str>;
}

/// The host that this process runs on.
#[derive(Debug, Clone)]
pub struct SystemHost {
    root: PathBuf,
}

impl Default for SystemHost {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl SystemHost {
    /// A host whose `/sys` and `/proc` are below `root`.
    pub fn below(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn text(&self, path: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.root.join(path)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn dmi(&self, item: &str) -> Option<String> {
        self.text(&format!("sys/devices/virtual/dmi/id/{item}"))
    }
}

impl Host for SystemHost {
    fn mac_of(&self, device: &str) -> Option<MacAddress> {
        let by_name = self.text(&format!("sys/class/net/{device}/address")).and_then(|mac| mac.parse().ok());
        // Alternative names have no folder there.
        by_name.or_else(|| if self.root == Path::new("/") { mac_of_alternative(device) } else { None })
    }

    /// # Source
    /// EC2 User Guide, "Instance identity": on Nitro the board asset tag is the instance id.
    fn instance_id(&self) -> Option<InstanceId> {
        self.dmi("board_asset_tag")?.parse().ok().filter(|id: &InstanceId| id.as_str().starts_with("i-"))
    }

    /// # Source
    /// EC2 User Guide, "Detect whether a host is an EC2 instance": the vendor on Nitro, a UUID that begins with `ec2` on Xen.
    fn looks_like_ec2(&self) -> bool {
        let vendor = ["sys_vendor", "board_vendor", "bios_vendor"]
            .iter()
            .any(|item| self.dmi(item).is_some_and(|text| text.starts_with("Amazon EC2")));
        let uuid = [self.text("sys/hypervisor/uuid"), self.dmi("product_uuid")]
            .iter()
            .flatten()
            .any(|uuid| uuid.to_ascii_lowercase().starts_with("ec2"));
        vendor || uuid || self.instance_id().is_some()
    }

    fn node_name(&self) -> String {
        self.text("proc/sys/kernel/hostname").unwrap_or_default()
    }

    fn boot_id(&self) -> String {
        self.text("proc/sys/kernel/random/boot_id").unwrap_or_default()
    }

    fn uptime(&self) -> Duration {
        let seconds = self
            .text("proc/uptime")
            .and_then(|text| text.split(' ').next().and_then(|first| first.parse().ok()));
        seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default()
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// # Source
    /// `nm-cloud-setup(8)` of `NetworkManager`: it runs from a timer, enabled by a link. SUSE, cloud-netconfig's README:
    /// `CLOUD_NETCONFIG_MANAGE` in `/etc/default/cloud-netconfig` or in the file of an interface. amazon-ec2-net-utils 2.x: a udev
    /// rule starts a timer for each interface, and a changed list of addresses makes systemd-networkd configure it anew. 1.x
    /// (Amazon Linux 2) only removes secondary addresses of the subnet, which an overlay address is not.
    fn address_remover(&self) -> Option<&'static str> {
        let timers = "etc/systemd/system/timers.target.wants";
        let enabled = |timer: &str| self.root.join(timers).join(timer).symlink_metadata().is_ok();
        if enabled("nm-cloud-setup.timer") {
            return Some("nm-cloud-setup");
        }
        let entries =
            |folder: &str| std::fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let masked = |path: PathBuf| std::fs::read_link(path).is_ok_and(|to| to == Path::new("/dev/null"));
        let rule = "udev/rules.d/99-vpc-policy-routes.rules";
        let is_refresh = |name: &str| {
            name.strip_suffix(".timer").is_some_and(|unit| unit.starts_with("refresh-policy-routes@"))
        };
        let refreshes = !masked(self.root.join("etc").join(rule))
            && !entries("etc/systemd/system")
                .any(|entry| entry.file_name().to_str().is_some_and(is_refresh) && masked(entry.path()));
        if refreshes
            && ["etc", "usr/lib", "lib"].iter().any(|folder| self.root.join(folder).join(rule).exists())
        {
            return Some("amazon-ec2-net-utils");
        }
        let off = |path: &str| {
            let text = self.text(path).unwrap_or_default();
            let value = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("CLOUD_NETCONFIG_MANAGE="))
                .next_back();
            value.is_some_and(|value| value.trim_matches(['"', '\'']).eq_ignore_ascii_case("no"))
        };
        let network = "etc/sysconfig/network";
        let mut files: Vec<String> = entries(network)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with("ifcfg-eth"))
            .map(|name| format!("{network}/{name}"))
            .collect();
        files.push("etc/default/cloud-netconfig".to_owned());
        let runs = enabled("cloud-netconfig.timer") && !files.iter().any(|file| off(file));
        runs.then_some("cloud-netconfig")
    }
}

/// Queries the kernel for the device with this alternative name.
///
/// # Source
/// Linux, `include/uapi/linux/if_link.h`: `IFLA_ALT_IFNAME` is 53. Kernels before 5.5 know no alternative names, and
/// reject the request as invalid.
#[cfg(feature = "sdk")]
fn mac_of_alternative(name: &str) -> Option<MacAddress> {
    use rtnetlink::packet_core::{DefaultNla, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
    use rtnetlink::packet_route::RouteNetlinkMessage;
    use rtnetlink::packet_route::link::{LinkAttribute, LinkMessage};
    use rtnetlink::sys::protocols::NETLINK_ROUTE;
    use rtnetlink::sys::{Socket, SocketAddr};

    const IFLA_ALT_IFNAME: u16 = 53;
    let mut question = LinkMessage::default();
    let text = [name.as_bytes(), b"\0"].concat();
    question.attributes.push(LinkAttribute::Other(DefaultNla::new(IFLA_ALT_IFNAME, text)));
    let mut message = NetlinkMessage::from(RouteNetlinkMessage::GetLink(question));
    message.header.flags = NLM_F_REQUEST;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    let socket = Socket::new(NETLINK_ROUTE).ok()?;
    socket.connect(&SocketAddr::new(0, 0)).ok()?;
    socket.send(&bytes, 0).ok()?;
    let (answer, _) = socket.recv_from_full().ok()?;
    match NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).ok()?.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
            link.attributes.iter().find_map(|attribute| match attribute {
                LinkAttribute::Address(octets) => {
                    <[u8; 6]>::try_from(octets.as_slice()).ok().map(MacAddress::from)
                }
                _ => None,
            })
        }
        _ => None,
    }
}

#[cfg(not(feature = "sdk"))]
fn mac_of_alternative(_: &str) -> Option<MacAddress> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("eip-host-{}-{name}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Self(root)
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_nitro_instance_is_known_by_its_board() {
        let tree = Tree::new(
            "nitro",
            &[
                ("sys/devices/virtual/dmi/id/board_asset_tag", "i-0123456789abcdef0\n"),
                ("sys/devices/virtual/dmi/id/sys_vendor", "Amazon EC2\n"),
                ("sys/class/net/eth0/address", "02:00:00:00:00:01\n"),
                ("proc/uptime", "1234.56 2345.67\n"),
            ],
        );
        let host = SystemHost::below(&tree.0);
        assert_eq!(host.instance_id().unwrap().as_str(), "i-0123456789abcdef0");
        assert!(host.looks_like_ec2());
        assert_eq!(host.mac_of("eth0").unwrap().to_string(), "02:00:00:00:00:01");
        assert_eq!(host.mac_of("eth1"), None);
        assert_eq!(host.uptime(), Duration::from_millis(1_234_560));
    }

    #[test]
    fn a_xen_instance_is_known_by_its_hypervisor_and_another_host_is_not() {
        let tree = Tree::new("xen", &[("sys/hypervisor/uuid", "ec2e1916-9099-7caf\n")]);
        assert!(SystemHost::below(&tree.0).looks_like_ec2());
        let tree = Tree::new("other", &[("sys/devices/virtual/dmi/id/sys_vendor", "QEMU\n")]);
        assert!(!SystemHost::below(&tree.0).looks_like_ec2());
    }

    #[test]
    fn a_service_that_removes_addresses_is_found_unless_it_is_switched_off() {
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], Option<&'a str>);
        let wants = "etc/systemd/system/timers.target.wants";
        let rule = ("usr/lib/udev/rules.d/99-vpc-policy-routes.rules", "");
        let (nm, suse) = (format!("{wants}/nm-cloud-setup.timer"), format!("{wants}/cloud-netconfig.timer"));
        let no = "STARTMODE='auto'\nCLOUD_NETCONFIG_MANAGE='no'\n";
        let rows: [Row<'_>; 8] = [
            ("none", &[("etc/hostname", "")], &[], None),
            ("rhel", &[(&nm, "")], &[], Some("nm-cloud-setup")),
            ("suse", &[(&suse, "")], &[], Some("cloud-netconfig")),
            ("suse-off", &[(&suse, ""), ("etc/default/cloud-netconfig", no)], &[], None),
            ("suse-off-eth1", &[(&suse, ""), ("etc/sysconfig/network/ifcfg-eth1", no)], &[], None),
            ("al2023", &[rule, ("etc/systemd/system/x", "")], &[], Some("amazon-ec2-net-utils")),
            (
                "al2023-off",
                &[rule, ("etc/systemd/system/x", "")],
                &["etc/systemd/system/refresh-policy-routes@ens5.timer"],
                None,
            ),
            (
                "al2023-no-rule",
                &[rule, ("etc/udev/rules.d/x", "")],
                &["etc/udev/rules.d/99-vpc-policy-routes.rules"],
                None,
            ),
        ];
        for (name, files, masked, expected) in rows {
            let tree = Tree::new(name, files);
            for path in masked {
                std::os::unix::fs::symlink("/dev/null", tree.0.join(path)).unwrap();
            }
            assert_eq!(SystemHost::below(&tree.0).address_remover(), expected, "{name}");
        }
    }
}
