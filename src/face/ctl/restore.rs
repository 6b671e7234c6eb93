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
    invocation.refuse_stranger()?;
    let recorded = match invocation.text(ADDRESS) {
        None => invocation.whole_record()?.into_iter().map(|records| (records, None)).collect(),
        Some(_) => about(invocation)?,
    };
    let mut resources = Vec::new();
    for (records, only) in recorded {
        let Some(address) = address_of(&records) else { continue };
        let mut raw = invocation.parameters(table::EIP);
        raw.insert("elastic_ip".to_owned(), address.to_string());
        let mut params = Params::parse(&raw)?;
        // The recorded AWS settings apply unless options override them.
        if let Some(reach) = &records.durable.reach {
            params.api = params.api.or(reach);
        }
        let world = invocation.world(&records.resource, &params.api, &params.timing)?;
        resources.push(Known { world, params, only });
    }
    let work = async { Ok::<_, Error>(elastic::restore(&resources, &invocation.deadline).await) };
    let left = invocation.run(work)?;
    for (public_ip, error) in &left {
        invocation.log.error(format_args!("{public_ip} not restored: {error}"));
    }
    if left.is_empty() { Ok(()) } else { Err(Failure::Reported) }
}

/// What is on record about the address on the command line, as the one that displaced others or as the displaced one. Of a record
/// in which it was only displaced, it alone is to be restored.
fn about(invocation: &Invocation<'_>) -> Result<Vec<(RecordedResource, Option<Ipv4Addr>)>, Failure> {
    let subject = Subject::of(invocation)?;
    let address = &subject.address;
    if subject.agent.name != agent::EIP.name {
        let kind = subject.agent.resource_type();
        return Err(Failure::Usage(format!(
            "{address} belongs to {kind}: only an Elastic IP displaces another, nothing to restore"
        )));
    }
    let mut found = Vec::new();
    for records in invocation.whole_record()? {
        let mut displaced = records.durable.displaced.iter().map(|entry| entry.public_ip);
        if subject.recorded.iter().any(|own| own.resource == records.resource) {
            found.push((records, None));
        } else if let Some(only) = displaced.find(|ip| ip.to_string() == *address) {
            found.push((records, Some(only)));
        }
    }
    if found.is_empty() {
        Params::parse(&subject.configuration.parameters)?;
        return Err(format!("nothing is on record about {address} on this node").into());
    }
    Ok(found)
}

/// The address in a record, used only to identify it; without one, a record has nothing to restore.
fn address_of(records: &RecordedResource) -> Option<Ipv4Addr> {
    let pair = records.durable.pair.as_ref().map(|pair| pair.public_ip);
    let displaced = || records.durable.displaced.first().map(|displaced| displaced.public_ip);
    pair.or_else(displaced)
}
