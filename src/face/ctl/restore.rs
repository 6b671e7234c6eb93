//! `eipctl restore`: Elastic IPs that had to make way come back, at boot as a rule.

use std::net::Ipv4Addr;

use super::call::{Asked, Failure};
use crate::params::Params;
use crate::resource::elastic::{self, Entry, Known};
use crate::resource::error::Error;
use crate::world::RealWorld;

/// Puts them back, with a line for each that is not back in time.
pub(super) fn run(asked: &Asked<'_>) -> Result<(), Failure> {
    let mut resources = Vec::new();
    for entry in asked.on_record() {
        if let Some(address) = address_of(&entry) {
            resources.push(known(asked, &entry, address)?);
        }
    }
    let work = async { Ok::<_, Error>(elastic::restore(&resources, &asked.deadline).await) };
    let left = asked.run(work)?;
    for elastic::Left { public_ip, error } in &left {
        asked.log.error(format_args!("{public_ip} is not back: {error}"));
    }
    if left.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

/// Returns an address that a record is about. It is not acted on by itself; a record with none has nothing to put back.
fn address_of(entry: &Entry) -> Option<Ipv4Addr> {
    let pair = entry.durable.pair.as_ref().map(|pair| pair.public_ip);
    let displaced = || entry.durable.displaced.first().map(|displaced| displaced.public_ip);
    pair.or_else(displaced)
}

/// Puts together what acting for a resource takes: how AWS was reached is on record, unless options say otherwise.
fn known(asked: &Asked<'_>, entry: &Entry, address: Ipv4Addr) -> Result<Known<RealWorld>, Failure> {
    let mut raw = asked.raw();
    raw.insert("elastic_ip".to_owned(), address.to_string());
    let mut params = Params::parse(&raw)?;
    if let Some(reach) = &entry.durable.reach {
        params.api = params.api.or(reach);
    }
    let world = asked.world(&entry.resource, &params.api, &params.timing)?;
    Ok(Known { world, params })
}
