//! What only this kind has, against the model of EC2. No test waits in real time.

// Test code: it fails by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::base::log::Log;
use crate::network::{Network as _, NewAddress};
use crate::resource::fixtures::MemoryRecords;
use crate::resource::tests::*;
use crate::state::Remembered;

mod monitor;
mod start;
mod stop;
mod validate;

/// What an administrator does to the account.
type AccountChange = fn(&Account);

/// Node 1 of an account with two nodes, and route tables that lead the address to node 2.
type OverlayNode = Resource<Overlay>;

impl OverlayNode {
    fn with_tables(count: u32) -> Self {
        let account = Account::default();
        for number in 1..=2 {
            account.add_instance(InstanceSpec::numbered(number, &[&format!("10.0.{number}.10")]));
            account.set_source_dest_check(&parsed(eni(number)), false);
        }
        for number in 1..=count {
            account.add_route_table(RouteTableSpec::numbered(number));
            account.route(&table(number), overlay_ip(), &eni(2));
        }
        let ids: Vec<String> = (1..=count).map(|number| table(number).to_string()).collect();
        Self::numbered(&account, 1).with("overlay_ip", OVERLAY).with("routing_table", &ids.join(","))
    }

    fn numbered(account: &Account, number: u8) -> Self {
        let node = Self::at(account, number, &format!("10.0.{number}.10"));
        node.network().plug("lo", "", &["127.0.0.1/8"]);
        node
    }

    /// The other node, with the same parameters.
    fn peer(&self) -> Self {
        Self { raw: self.raw.clone(), ..Self::numbered(&self.account, 2) }
    }

    /// Started, with the settling window over and a check just made.
    async fn in_service(self) -> Self {
        let node = self.started().await;
        advance(Duration::from_secs(130)).await;
        assert_eq!(node.monitor().await.unwrap(), Report::Done);
        node.account.clear_calls();
        node
    }

    /// Whether these tables, and no other of the first ten, lead here.
    fn leads_here(&self, tables: &[u32]) -> bool {
        (1..=10).all(|number| {
            let here = self.account.route_of(&table(number), overlay_ip()) == Some(eni(1));
            here == tables.contains(&number)
        })
    }

    /// Adds the address to a device of this node, as another agent would.
    async fn put_on(&self, name: &str) {
        let devices = self.network().devices().await.unwrap();
        let device = devices.into_iter().find(|device| device.name == name).unwrap();
        self.network().add(&device, NewAddress { ip: overlay_ip(), prefix: 32, label: None }).await.unwrap();
    }

    /// The devices of this node that have the address.
    async fn having(&self) -> Vec<String> {
        let devices = self.network().devices().await.unwrap().into_iter();
        devices.filter(|device| device.has(overlay_ip())).map(|device| device.name).collect()
    }

    /// Another resource of this node, with the same parameters, beside this one, whose name is `old`.
    fn renamed(&self, old: &str) -> Self {
        let records = MemoryRecords::default();
        records.others.borrow_mut().push((old.to_owned(), self.world.records.clone()));
        let (ec2, imds, log) = (self.world.ec2.clone(), self.world.imds.clone(), Log::memory());
        let world = Parts { ec2, imds, host: self.world.host.clone(), records, log };
        Self { raw: self.raw.clone(), account: self.account.clone(), world, ..*self }
    }

    fn on_device(&self) -> bool {
        self.network().device_with(OVERLAY).is_some()
    }
}

#[track_caller]
fn fails(outcome: Result<Report, Error>, action: Action, code: ExitCode, says: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(exit_code(&error, action), code, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}
