//! What is told and kept of every change of holder: one line at info, and one entry in the history. And what is told of an
//! Elastic IP that is on the address.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::{Duration, UNIX_EPOCH};

use super::place::Place;
use super::{Vip, VipWorld};
use crate::cloud::Imds as _;
use crate::host::Host as _;
use crate::resource::millis;
use crate::state::{Change, Records as _};

/// A question that is asked for the log alone takes no longer than this.
const FOR_THE_LOG: Duration = Duration::from_secs(1);

impl<W: VipWorld> Vip<'_, W> {
    /// Logs a change of holder and keeps it in the history.
    pub(super) fn made(&self, action: &str, from: String, to: String, phases: &[(&str, Duration)]) {
        let mut line = format!("{} moved from {from} to {to}; reason {action}", self.params.address);
        for (phase, took) in phases {
            let _ = write!(line, "; {phase} {} ms", took.as_millis());
        }
        self.world.log().info(&line);
        let at = self.world.host().now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut durable = self.world.records().durable();
        durable.remember(Change {
            at_ms: millis(at),
            action: action.to_owned(),
            from,
            to,
            association: None,
            took_ms: millis(self.deadline.elapsed()),
        });
        self.world.records().set_durable(&durable);
    }

    /// Says in the log which Elastic IP travels with the address: as EC2 showed it, else as the metadata service does.
    pub(super) async fn tell_travellers(&self, place: &Place, by_ec2: Option<Ipv4Addr>) {
        let found = match (by_ec2, place.mac) {
            (Some(public_ip), _) => vec![public_ip],
            (None, Some(mac)) => {
                let question = self.world.imds().associations(mac);
                let answer = self.deadline.within(FOR_THE_LOG).bound(question).await;
                let carried = answer.ok().and_then(Result::ok).unwrap_or_default();
                let here = |(_, private): &(Ipv4Addr, Vec<Ipv4Addr>)| private.contains(&self.params.address);
                carried.into_iter().filter(here).map(|(public_ip, _)| public_ip).collect()
            }
            (None, None) => Vec::new(),
        };
        for public_ip in found {
            self.world
                .log()
                .info(format_args!("Elastic IP {public_ip} travels with {}", self.params.address));
        }
    }
}
