//! `eipctl restore`: restores displaced Elastic IPs, usually at boot.

use std::net::Ipv4Addr;

use super::call::{Failure, Invocation};
use super::options::ADDRESS;
use super::subject::Subject;
use crate::ocf::agent;
use crate::params::{Params, table};
use crate::resource::elastic::{self, Known};
use crate::resource::error::Error;
use crate::resource::recorded::RecordedResource;

/// Restores them, and prints a line for each that is not back in time.
pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let recorded = if invocation.text(ADDRESS).is_none() {
        invocation.on_record()
    } else {
        let subject = Subject::of(invocation)?;
        if subject.agent.name != agent::EIP.name {
            let (address, kind) = (&subject.address, subject.agent.resource_type());
            return Err(Failure::Usage(format!(
                "{address} belongs to {kind}: only an Elastic IP displaces another, nothing to restore"
            )));
        }
        subject.recorded
    };
    let mut resources = Vec::new();
    for records in recorded {
        let Some(address) = address_of(&records) else { continue };
        let mut raw = invocation.parameters(table::EIP);
        raw.insert("elastic_ip".to_owned(), address.to_string());
        let mut params = Params::parse(&raw)?;
        // The recorded AWS settings apply unless options override them.
        if let Some(reach) = &records.durable.reach {
            params.api = params.api.or(reach);
        }
        let world = invocation.world(&records.resource, &params.api, &params.timing)?;
        resources.push(Known { world, params });
    }
    let work = async { Ok::<_, Error>(elastic::restore(&resources, &invocation.deadline).await) };
    let left = invocation.run(work)?;
    for elastic::Left { public_ip, error } in &left {
        invocation.log.error(format_args!("{public_ip} not restored: {error}"));
    }
    if left.is_empty() { Ok(()) } else { Err(Failure::Reported) }
}

/// The address in a record, used only to identify it; without one, a record has nothing to restore.
fn address_of(records: &RecordedResource) -> Option<Ipv4Addr> {
    let pair = records.durable.pair.as_ref().map(|pair| pair.public_ip);
    let displaced = || records.durable.displaced.first().map(|displaced| displaced.public_ip);
    pair.or_else(displaced)
}
