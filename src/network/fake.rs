//! Network devices in memory for the tests of the decisions.

// Test code: it fails by panicking, and its documentation is for the tests only.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use crate::base::ids::MacAddress;

use super::{AddressEntry, Device, Network, NetworkError, NewAddress};

#[derive(Debug, Default)]
struct State {
    devices: Vec<Device>,
    done: Vec<String>,
    broken: bool,
}

/// The fake; clones share one state.
#[derive(Debug, Clone, Default)]
pub struct FakeNetwork(Rc<RefCell<State>>);

impl FakeNetwork {
    /// Adds a device with addresses, `10.0.0.1` or `10.0.0.1/32`; the prefix length is 24 if not given.
    pub fn plug(&self, name: &str, mac: &str, addresses: &[&str]) {
        let mut state = self.0.borrow_mut();
        let index = u32::try_from(state.devices.len()).unwrap() + 2;
        let addresses = addresses.iter().map(|text| {
            let (ip, prefix) = text.split_once('/').unwrap_or((text, "24"));
            AddressEntry {
                ip: ip.parse().unwrap(),
                prefix: prefix.parse().unwrap(),
                label: None,
                duplicate: false,
            }
        });
        let (name, mac, addresses) = (name.to_owned(), mac.parse().ok(), addresses.collect());
        let loopback = name == "lo";
        state.devices.push(Device {
            index,
            name,
            alt_names: Vec::new(),
            up: true,
            loopback,
            ipv6: true,
            mac,
            addresses,
        });
    }

    /// The device that has this address.
    pub fn device_with(&self, ip: &str) -> Option<String> {
        let ip = ip.parse().unwrap();
        let state = self.0.borrow();
        state.devices.iter().find(|device| device.has(ip)).map(|device| device.name.clone())
    }

    /// The hardware address of a device.
    pub fn mac_of(&self, name: &str) -> Option<MacAddress> {
        self.0.borrow().devices.iter().find(|device| device.name == name)?.mac
    }

    /// Sets a device up or down.
    pub fn set_up(&self, name: &str, up: bool) {
        for device in &mut self.0.borrow_mut().devices {
            device.up = if device.name == name { up } else { device.up };
        }
    }

    /// Has the kernel take IPv6 addresses on no device.
    pub fn disable_ipv6(&self) {
        for device in &mut self.0.borrow_mut().devices {
            device.ipv6 = false;
        }
    }

    /// Has another machine claim an address.
    pub fn duplicate(&self, ip: &str) {
        let ip: IpAddr = ip.parse().unwrap();
        for have in self.0.borrow_mut().devices.iter_mut().flat_map(|device| &mut device.addresses) {
            have.duplicate |= have.ip == ip;
        }
    }

    /// Removes an address as an external actor would.
    pub fn lose(&self, ip: &str) {
        let ip: IpAddr = ip.parse().unwrap();
        for device in &mut self.0.borrow_mut().devices {
            device.addresses.retain(|have| have.ip != ip);
        }
    }

    /// Makes the kernel refuse everything, or accept again.
    pub fn set_broken(&self, broken: bool) {
        self.0.borrow_mut().broken = broken;
    }

    /// The changes so far, in order.
    pub fn done(&self) -> Vec<String> {
        self.0.borrow().done.clone()
    }

    fn record(&self, doing: String) -> Result<(), NetworkError> {
        let mut state = self.0.borrow_mut();
        if state.broken {
            return Err(NetworkError { doing, answer: "Operation not permitted".to_owned() });
        }
        state.done.push(doing);
        Ok(())
    }
}

impl Network for FakeNetwork {
    async fn devices(&self) -> Result<Vec<Device>, NetworkError> {
        tokio::task::yield_now().await;
        let state = self.0.borrow();
        if state.broken {
            return Err(NetworkError {
                doing: "devices".to_owned(),
                answer: "Operation not permitted".to_owned(),
            });
        }
        Ok(state.devices.clone())
    }

    async fn add(&self, device: &Device, new: NewAddress<'_>) -> Result<(), NetworkError> {
        let label = new.label.map(|label| format!(" label {label}")).unwrap_or_default();
        self.record(format!("add {}/{} dev {}{label}", new.ip, new.prefix, device.name))?;
        for known in &mut self.0.borrow_mut().devices {
            if known.index == device.index {
                known.up = true;
                if !known.has(new.ip) {
                    let label = new.label.map(str::to_owned);
                    known.addresses.push(AddressEntry {
                        ip: new.ip,
                        prefix: new.prefix,
                        label,
                        duplicate: false,
                    });
                }
            }
        }
        Ok(())
    }

    async fn remove(&self, device: &Device, ip: IpAddr, prefix: Option<u8>) -> Result<(), NetworkError> {
        self.record(format!("del {ip} dev {}", device.name))?;
        for known in &mut self.0.borrow_mut().devices {
            if known.index == device.index {
                known
                    .addresses
                    .retain(|have| have.ip != ip || prefix.is_some_and(|only| only != have.prefix));
            }
        }
        Ok(())
    }

    fn announce(&self, device: &Device, ip: Ipv4Addr) -> Result<(), NetworkError> {
        self.record(format!("announce {ip} dev {}", device.name))
    }
}
