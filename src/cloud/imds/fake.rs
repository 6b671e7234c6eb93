//! Instance metadata in memory for the tests of the decisions. What it shows is set by hand, so it can be stale.

// Test code: it fails by panicking, and its documentation is for the tests only.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, clippy::must_use_candidate)]

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;

use super::{Attachment, Imds, ImdsError, Interface, Subnet, Vpc};
use crate::base::ids::{InstanceId, InterfaceId, MacAddress};

#[derive(Debug, Default)]
struct State {
    instance: Option<InstanceId>,
    interfaces: Vec<Interface>,
    carried: Vec<(MacAddress, Ipv4Addr, Ipv4Addr)>,
    silent: bool,
    questions: usize,
}

/// The fake; clones share one state.
#[derive(Debug, Clone, Default)]
pub struct FakeImds(Rc<RefCell<State>>);

impl FakeImds {
    /// The metadata of an instance with these interfaces, the primary first.
    pub fn new(instance: &str, interfaces: Vec<Interface>) -> Self {
        let fake = Self::default();
        fake.0.borrow_mut().instance = instance.parse().ok();
        fake.0.borrow_mut().interfaces = interfaces;
        fake
    }

    /// Shows a public address on a private one.
    pub fn show(&self, public_ip: &str, private_ip: &str) {
        let private: Ipv4Addr = private_ip.parse().unwrap();
        self.hide(public_ip);
        let mut state = self.0.borrow_mut();
        let mac = state.interfaces.iter().find(|i| i.private_ips.contains(&private)).unwrap().mac;
        state.carried.push((mac, public_ip.parse().unwrap(), private));
    }

    /// Shows a public address nowhere.
    pub fn hide(&self, public_ip: &str) {
        let ip: Ipv4Addr = public_ip.parse().unwrap();
        self.0.borrow_mut().carried.retain(|(_, public, _)| *public != ip);
    }

    /// Shows or hides a private address on an interface.
    pub fn show_private(&self, mac: &str, ip: &str, shown: bool) {
        let (mac, ip): (MacAddress, Ipv4Addr) = (mac.parse().unwrap(), ip.parse().unwrap());
        let mut state = self.0.borrow_mut();
        let interface = state.interfaces.iter_mut().find(|interface| interface.mac == mac).unwrap();
        interface.private_ips.retain(|have| *have != ip);
        if shown {
            interface.private_ips.push(ip);
        }
    }

    /// Adds an interface to the instance.
    pub fn attach(&self, interface: Interface) {
        self.0.borrow_mut().interfaces.push(interface);
    }

    /// Silences the service, or ends the silence.
    pub fn set_silent(&self, silent: bool) {
        self.0.borrow_mut().silent = silent;
    }

    /// Number of queries so far.
    pub fn questions(&self) -> usize {
        self.0.borrow().questions
    }

    async fn ask<T>(&self, path: &str, answer: impl FnOnce(&State) -> Option<T>) -> Result<T, ImdsError> {
        self.0.borrow_mut().questions += 1;
        tokio::task::yield_now().await;
        let path = path.to_owned();
        if self.0.borrow().silent {
            return Err(ImdsError::Silent { path, answer: "no answer".to_owned() });
        }
        answer(&self.0.borrow()).ok_or(ImdsError::Absent { path })
    }
}

impl Imds for FakeImds {
    async fn instance_id(&self) -> Result<InstanceId, ImdsError> {
        self.ask("instance-id", |state| state.instance.clone()).await
    }

    async fn region(&self) -> Result<String, ImdsError> {
        self.ask("placement/region", |_| Some("eu-west-1".to_owned())).await
    }

    async fn account(&self) -> Result<String, ImdsError> {
        self.ask("owner-id", |_| Some("123456789012".to_owned())).await
    }

    async fn primary_mac(&self) -> Result<MacAddress, ImdsError> {
        self.ask("mac", |state| state.interfaces.first().map(|interface| interface.mac)).await
    }

    async fn macs(&self) -> Result<Vec<MacAddress>, ImdsError> {
        self.ask("macs/", |state| Some(state.interfaces.iter().map(|interface| interface.mac).collect()))
            .await
    }

    async fn interface(&self, mac: MacAddress) -> Result<Interface, ImdsError> {
        self.ask("interface-id", |state| state.interfaces.iter().find(|i| i.mac == mac).cloned()).await
    }

    async fn interface_id(&self, mac: MacAddress) -> Result<InterfaceId, ImdsError> {
        self.interface(mac).await.map(|interface| interface.id)
    }

    async fn attachment(&self, mac: MacAddress) -> Result<Attachment, ImdsError> {
        self.ask("device-number", |state| {
            let index = state.interfaces.iter().position(|i| i.mac == mac)?;
            Some(Attachment { device_index: u32::try_from(index).ok()?, network_card: 0 })
        })
        .await
    }

    /// Its subnets are the /24 of the primary addresses.
    async fn subnet(&self, mac: MacAddress) -> Result<Subnet, ImdsError> {
        self.ask("subnet-id", |state| {
            let interface = state.interfaces.iter().find(|i| i.mac == mac)?;
            let [a, b, c, _] = interface.private_ips.first()?.octets();
            let id = format!("subnet-{:017x}", u32::from_be_bytes([0, a, b, c]));
            Some(Subnet { id: id.parse().ok()?, cidr: format!("{a}.{b}.{c}.0/24").parse().ok()? })
        })
        .await
    }

    /// Its VPC is 10.0.0.0/16.
    async fn vpc(&self, _: MacAddress) -> Result<Vpc, ImdsError> {
        self.ask("vpc-id", |_| {
            Some(Vpc { id: "vpc-0a1b2c3d4e5f60718".parse().ok()?, ranges: vec!["10.0.0.0/16".parse().ok()?] })
        })
        .await
    }

    async fn association(&self, mac: MacAddress, public_ip: Ipv4Addr) -> Result<Vec<Ipv4Addr>, ImdsError> {
        self.ask("ipv4-associations", |state| {
            let here = state.carried.iter().filter(|(at, public, _)| *at == mac && *public == public_ip);
            Some(here.map(|(_, _, private)| *private).collect())
        })
        .await
    }

    async fn associations(&self, mac: MacAddress) -> Result<Vec<(Ipv4Addr, Vec<Ipv4Addr>)>, ImdsError> {
        self.ask("ipv4-associations/", |state| {
            let here = state.carried.iter().filter(|(at, _, _)| *at == mac);
            Some(here.map(|(_, public, private)| (*public, vec![*private])).collect())
        })
        .await
    }
}
