//! `eipctl restore`: Elastic IPs that had to make way come back, at boot as a rule.

use super::call::{Asked, Failure};
use crate::error::Error;
use crate::params::Params;
use crate::resource::eip::{self, Entry, Known};

/// Puts them back, with a line for each that is not back in time.
pub(super) fn run(asked: &Asked<'_>) -> Result<(), Failure> {
    let mut resources = Vec::new();
    for entry in asked.on_record() {
        resources.push(known(asked, &entry)?);
    }
    let work = async { Ok::<_, Error>(eip::restore(&resources, &asked.deadline).await) };
    let left = asked.run(work)?;
    for eip::Left { public_ip, error } in &left {
        asked.log.error(format_args!("{public_ip} is not back: {error}"));
    }
    if left.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

/// Puts together what acting for a resource takes: how AWS was reached is on record, unless options say otherwise.
fn known(asked: &Asked<'_>, entry: &Entry) -> Result<Known<crate::face::session::RealWorld>, Failure> {
    let mut raw = asked.raw();
    let displaced = entry.durable.displaced.first().map(|displaced| displaced.public_ip);
    let pair = entry.durable.pair.as_ref().map(|pair| pair.public_ip);
    // It is not acted on; a record without its own address may still name one that had to make way.
    if let Some(address) = pair.or(displaced).or(entry.volatile.elastic_ip) {
        raw.insert("elastic_ip".to_owned(), address.to_string());
    } else {
        raw.insert("elastic_ip".to_owned(), std::net::Ipv4Addr::LOCALHOST.to_string());
    }
    let mut params = Params::parse(&raw)?;
    if let Some(reach) = &entry.durable.reach {
        params.api = params.api.or(reach);
    }
    let world = asked.world(&entry.resource, &params.api, &params.timing)?;
    Ok(Known { world, params })
}
