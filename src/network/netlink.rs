//! [`Network`] over rtnetlink, and over a packet socket for ARP, which netlink cannot send.

use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::{Stream, TryStreamExt as _};
use ipnet::Ipv4Net;
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily as Family, LinkAddr, MsgFlags, SockFlag, SockType, sendto, socket};
use rtnetlink::Handle;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkMessage, Prop};

use super::{AddressEntry, Device, Network, NetworkError, NewAddress, arp};
use crate::base::ids::MacAddress;
use crate::host::SystemHost;

/// Adds the attempted operation to an error, which is the kernel's own message if it sent one.
fn refused(doing: String) -> impl FnOnce(rtnetlink::Error) -> NetworkError {
    move |error| match error {
        rtnetlink::Error::NetlinkError(answer) => NetworkError { doing, answer: answer.to_io().to_string() },
        other => NetworkError { doing, answer: other.to_string() },
    }
}

/// As [`refused`], unless the kernel's reason is this one: another process was quicker, and the work is done.
fn refused_unless(done: Errno, doing: String) -> impl FnOnce(rtnetlink::Error) -> Result<(), NetworkError> {
    move |error| match &error {
        rtnetlink::Error::NetlinkError(answer) if answer.raw_code() == -(done as i32) => Ok(()),
        _ => Err(refused(doing)(error)),
    }
}

/// Opens a connection to the kernel, served by the current runtime.
fn connect() -> Result<Handle, NetworkError> {
    let failed = |error: io::Error| NetworkError { doing: "netlink".to_owned(), answer: error.to_string() };
    let (connection, handle, _) = rtnetlink::new_connection().map_err(failed)?;
    tokio::spawn(connection);
    Ok(handle)
}

async fn all<T>(items: impl Stream<Item = Result<T, rtnetlink::Error>>) -> Result<Vec<T>, NetworkError> {
    items.try_collect().await.map_err(refused("netlink".to_owned()))
}

/// The IPv4 and IPv6 addresses of all devices.
async fn addresses(handle: &Handle) -> Result<Vec<AddressMessage>, NetworkError> {
    let mut request = handle.address().get();
    request.message_mut().header.family = AddressFamily::Unspec;
    all(request.execute()).await
}

/// The local address. On a point-to-point device the kernel calls the peer "address".
fn ip_of(message: &AddressMessage) -> Option<IpAddr> {
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(local) => Some(*local),
        _ => None,
    });
    local.or_else(|| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}

/// What the kernel shows of an address on a device.
fn assigned(message: &AddressMessage) -> Option<AddressEntry> {
    let label = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Label(label) => Some(label.clone()),
        _ => None,
    });
    let duplicate = message.header.flags.contains(AddressHeaderFlags::Dadfailed);
    Some(AddressEntry { ip: ip_of(message)?, prefix: message.header.prefix_len, label, duplicate })
}

/// The device without its addresses; `None` for a device without a name.
fn device(link: &LinkMessage) -> Option<Device> {
    let loopback = link.header.flags.contains(LinkFlags::Loopback);
    let (mut name, mut mac, mut alt_names) = (None, None, Vec::new());
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::IfName(own) => name = Some(own.clone()),
            LinkAttribute::Address(octets) => mac = <[u8; 6]>::try_from(octets.as_slice()).ok(),
            LinkAttribute::PropList(properties) => {
                alt_names.extend(properties.iter().filter_map(|property| match property {
                    Prop::AltIfName(name) => Some(name.clone()),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    let name = name?;
    let disabled = fs::read(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"));
    Some(Device {
        index: link.header.index,
        ipv6: disabled.is_ok_and(|value| value.trim_ascii() == b"0"),
        name,
        alt_names,
        up: link.header.flags.contains(LinkFlags::Up),
        loopback,
        mac: mac.map(MacAddress::from).filter(|_| !loopback),
        addresses: Vec::new(),
    })
}

/// Sets a device up.
async fn switch_on(handle: &Handle, device: &Device) -> Result<(), NetworkError> {
    let mut message = LinkMessage::default();
    message.header.index = device.index;
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    let doing = format!("bringing {} up", device.name);
    handle.link().set(message).execute().await.map_err(refused(doing))
}

/// Longest wait for another process that removes an address from the same device, in milliseconds: it takes a few.
const LOCK_LIMIT_MS: u64 = 2000;

/// The setting of a device that makes the kernel keep the other addresses of a subnet when the first one is removed.
///
/// # Source
/// Linux, Documentation/networking/ip-sysctl.rst: `promote_secondaries`.
fn promote_secondaries(device: &str) -> PathBuf {
    PathBuf::from(format!("/proc/sys/net/ipv4/conf/{device}/promote_secondaries"))
}

/// Keeps other processes of ours from removing addresses from this device; `None` if that is not possible.
async fn lock(device: &str) -> Option<File> {
    let file = File::open(promote_secondaries(device)).ok()?;
    for _ in 0..LOCK_LIMIT_MS {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(fs::TryLockError::Error(_)) => return None,
        }
    }
    None
}

/// While it exists, the setting is on. Dropping it restores the previous one.
struct PromoteSecondaries {
    file: PathBuf,
    was: String,
}

impl PromoteSecondaries {
    /// `None` if it is already on, or cannot be switched on.
    fn on(device: &str) -> Option<Self> {
        let file = promote_secondaries(device);
        let was = fs::read_to_string(&file).ok().filter(|was| was.trim() == "0")?;
        fs::write(&file, "1").ok()?;
        Some(Self { file, was })
    }
}

impl Drop for PromoteSecondaries {
    fn drop(&mut self) {
        let _ = fs::write(&self.file, &self.was);
    }
}

impl Network for SystemHost {
    async fn devices(&self) -> Result<Vec<Device>, NetworkError> {
        let handle = connect()?;
        let links: Vec<LinkMessage> = all(handle.link().get().execute()).await?;
        let mut devices: Vec<Device> = links.iter().filter_map(device).collect();
        for message in addresses(&handle).await? {
            let on = devices.iter_mut().find(|device| device.index == message.header.index);
            if let (Some(device), Some(address)) = (on, assigned(&message)) {
                device.addresses.push(address);
            }
        }
        Ok(devices)
    }

    async fn add(&self, device: &Device, new: NewAddress<'_>) -> Result<(), NetworkError> {
        let handle = connect()?;
        if !device.up {
            switch_on(&handle, device).await?;
        }
        let there = addresses(&handle).await?.iter().any(|message| is_on(message, device, new.ip));
        if there {
            return Ok(());
        }
        let mut request = handle.address().add(device.index, new.ip, new.prefix);
        match new.label {
            // Until duplicate address detection has ended, a second later, the kernel would not answer.
            _ if new.ip.is_ipv6() => request.message_mut().header.flags |= AddressHeaderFlags::Nodad,
            Some(label) => request.message_mut().attributes.push(AddressAttribute::Label(label.to_owned())),
            None => {}
        }
        let doing = format!("adding {}/{} to {}", new.ip, new.prefix, device.name);
        request.execute().await.or_else(refused_unless(Errno::EEXIST, doing))
    }

    /// Removing the first address of a subnet makes the kernel remove the others of that subnet, and the routes over
    /// them, unless `promote_secondaries` is set: the node's own address may be among them. If that cannot be set, at
    /// least the addresses are restored.
    async fn remove(&self, device: &Device, ip: IpAddr, prefix: Option<u8>) -> Result<(), NetworkError> {
        let handle = connect()?;
        // What another stop removes meanwhile must not be taken for what the kernel removed.
        let _lock = lock(&device.name).await;
        let before = addresses(&handle).await?;
        let meant: Vec<&AddressMessage> = before
            .iter()
            .filter(|message| {
                is_on(message, device, ip) && prefix.is_none_or(|only| message.header.prefix_len == only)
            })
            .collect();
        let at_risk: Vec<&AddressMessage> = before
            .iter()
            .filter(|other| {
                other.header.index == device.index && meant.iter().any(|first| is_secondary_of(other, first))
            })
            .collect();
        let _promoting = (!at_risk.is_empty()).then(|| PromoteSecondaries::on(&device.name));
        let doing = format!("removing {ip} from {}", device.name);
        for message in meant {
            let removed = handle.address().del(message.clone()).execute().await;
            removed.or_else(refused_unless(Errno::EADDRNOTAVAIL, doing.clone()))?;
        }
        if at_risk.is_empty() {
            return Ok(());
        }
        let after = addresses(&handle).await?;
        for lost in at_risk {
            let Some(other) = ip_of(lost).filter(|other| *other != ip) else { continue };
            if !after.iter().any(|message| is_on(message, device, other)) {
                put_back(&handle, lost, other).await?;
            }
        }
        Ok(())
    }

    fn announce(&self, device: &Device, ip: Ipv4Addr) -> Result<(), NetworkError> {
        let doing = format!("announcing {ip} on {}", device.name);
        let fail = |answer: &dyn Display| NetworkError { doing: doing.clone(), answer: answer.to_string() };
        let mac = device.mac.ok_or_else(|| fail(&"the device has no hardware address"))?;
        let link = link_of(device).map_err(|error| fail(&error))?;
        let link = link.ok_or_else(|| fail(&"no such device"))?;
        // Protocol 0: the socket receives nothing.
        let sender = socket(Family::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None);
        let sender = sender.map_err(|error| fail(&error))?;
        for frame in arp::announcements(mac, ip) {
            sendto(sender.as_raw_fd(), &frame, &link, MsgFlags::empty()).map_err(|error| fail(&error))?;
        }
        Ok(())
    }
}

/// The link-layer address of a device for a packet socket.
fn link_of(device: &Device) -> nix::Result<Option<LinkAddr>> {
    let index = usize::try_from(device.index).ok();
    let mut links = getifaddrs()?.filter_map(|entry| entry.address?.as_link_addr().copied());
    Ok(links.find(|link| Some(link.ifindex()) == index))
}

fn is_on(message: &AddressMessage, device: &Device, ip: IpAddr) -> bool {
    message.header.index == device.index && ip_of(message) == Some(ip)
}

/// Whether the kernel removes an address with this first one of its subnet. Only IPv4 has secondary addresses.
fn is_secondary_of(other: &AddressMessage, first: &AddressMessage) -> bool {
    let subnet = |message: &AddressMessage| match ip_of(message)? {
        IpAddr::V4(ip) => Ipv4Net::new(ip, message.header.prefix_len).ok().map(|net| net.trunc()),
        IpAddr::V6(_) => None,
    };
    let is_secondary =
        |message: &AddressMessage| message.header.flags.contains(AddressHeaderFlags::Secondary);
    is_secondary(other) && !is_secondary(first) && subnet(first).is_some_and(|net| subnet(other) == Some(net))
}

async fn put_back(handle: &Handle, lost: &AddressMessage, ip: IpAddr) -> Result<(), NetworkError> {
    let mut request = handle.address().add(lost.header.index, ip, lost.header.prefix_len);
    let message = request.message_mut();
    message.header.scope = lost.header.scope;
    let kept = |attribute: &&AddressAttribute| {
        matches!(
            attribute,
            AddressAttribute::Local(_)
                | AddressAttribute::Address(_)
                | AddressAttribute::Broadcast(_)
                | AddressAttribute::Label(_)
                | AddressAttribute::Flags(_)
                | AddressAttribute::CacheInfo(_)
        )
    };
    message.attributes = lost.attributes.iter().filter(kept).cloned().collect();
    message.header.flags = AddressHeaderFlags::empty();
    request.execute().await.or_else(refused_unless(Errno::EEXIST, format!("restoring {ip}")))
}
