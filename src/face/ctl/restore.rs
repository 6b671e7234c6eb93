//! `eipctl restore`: restores displaced Elastic IPs, usually at boot.

use std::net::Ipv4Addr;

use super::call::{Failure, Invocation};
use crate::params::Params;
use crate::resource::elastic::{self, Entry, Known};
use crate::resource::error::Error;
use crate::world::RealWorld;

/// Restores them, and prints a line for each that is not back in time.
pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let mut resources = Vec::new();
    for entry in invocation.on_record() {
        if let Some(address) = address_of(&entry) {
            resources.push(known(invocation, &entry, address)?);
        }
    }
    let work = async { Ok::<_, Error>(elastic::restore(&resources, &invocation.deadline).await) };
    let left = invocation.run(work)?;
    for elastic::Left { public_ip, error } in &left {
        invocation.log.error(format_args!("{public_ip} is not back: {error}"));
    }
    if left.is_empty() { Ok(()) } else { Err(Failure::Reported) }
}

/// The address in a record, used only to identify it; without one, a record has nothing to restore.
fn address_of(entry: &Entry) -> Option<Ipv4Addr> {
    let pair = entry.durable.pair.as_ref().map(|pair| pair.public_ip);
    let displaced = || entry.durable.displaced.first().map(|displaced| displaced.public_ip);
    pair.or_else(displaced)
}

/// Builds the services for a recorded resource; the recorded AWS settings apply unless options override them.
fn known(invocation: &Invocation<'_>, entry: &Entry, address: Ipv4Addr) -> Result<Known<RealWorld>, Failure> {
    let mut raw = invocation.raw();
    raw.insert("elastic_ip".to_owned(), address.to_string());
    let mut params = Params::parse(&raw)?;
    if let Some(reach) = &entry.durable.reach {
        params.api = params.api.or(reach);
    }
    let world = invocation.world(&entry.resource, &params.api, &params.timing)?;
    Ok(Known { world, params })
}
