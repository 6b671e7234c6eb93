//! `eipctl show`: who holds an address, according to each source.

use serde_json::{Value, json};

use super::call::{BY_HAND, Failure, Invocation, aligned, print, print_json};
use super::options::{ADDRESS, JSON};
use crate::base::chain_of;
use crate::cloud::Association;
use crate::resource::Action;
use crate::resource::elastic::{self, Entry, Seen, Survey};
use crate::resource::kind::Owner;
use crate::state::Phase;

/// Prints what is known; fails if EC2 did not answer.
pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let params = invocation.params()?;
    let known = invocation.on_record_about(&params);
    let resource = known.first().map_or(BY_HAND, |entry| entry.resource.as_str());
    let mut world = invocation.world(resource, &params.api, &params.timing)?;
    world.records = world.records.read_only();
    let request = invocation.request(Action::Monitor { level: 10 }, params);
    let survey = invocation.run(async { Ok(elastic::survey(&world, &request).await) })?;
    // EC2's answer also finds records that name the address the other way, by address or by allocation id.
    let known = match &survey.by_ec2 {
        Ok((address, _)) => {
            let about = |entry: &Entry| entry.is_about(Some(address.public_ip), Some(&address.allocation));
            invocation.on_record().into_iter().filter(about).collect()
        }
        Err(_) => known,
    };
    if invocation.is_set(JSON) {
        print_json(&document(invocation, &survey, &known))?;
    } else {
        print(&aligned(&lines(invocation, &survey, &known)))?;
    }
    match survey.by_ec2 {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Failed(chain_of(&error))),
    }
}

fn lines(invocation: &Invocation<'_>, survey: &Survey, known: &[Entry]) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |label: &str, text: String| lines.push((label.to_owned(), text));
    match &survey.by_ec2 {
        Ok((address, owner)) => {
            line("address", format!("{} ({})", address.public_ip, address.allocation));
            line("by EC2", by_ec2(owner));
        }
        Err(error) => {
            line("address", invocation.text(ADDRESS).unwrap_or_default().to_owned());
            line("by EC2", format!("unknown: {error}"));
        }
    }
    let agree = match survey.agree() {
        Some(true) => " (agrees)",
        Some(false) => " (does not agree: it can lag behind EC2 by minutes)",
        None => "",
    };
    line(
        "by metadata",
        match &survey.by_metadata {
            Ok(Seen::Here) => format!("here{agree}"),
            Ok(Seen::NotHere(why)) => format!("not here: {why}{agree}"),
            Err(error) => format!("unknown: {error}"),
        },
    );
    if known.is_empty() {
        line("on record", "nothing on this node".to_owned());
    }
    for entry in known {
        line("on record", on_record(entry));
    }
    lines
}

fn by_ec2(owner: &Owner<Association>) -> String {
    match owner {
        Owner::Ours(association) => {
            format!("ours: {association}, {}{}", interface(owner), association.id)
        }
        Owner::Misplaced(association) => {
            format!("on this node, but not in its place: {}, {}", owner.holder(), association.id)
        }
        Owner::Elsewhere(association) => {
            format!("elsewhere: {association}, {}{}", interface(owner), association.id)
        }
        Owner::Unassigned => "nobody holds it".to_owned(),
    }
}

/// The interface, unless the holder's name already contains it.
fn interface(owner: &Owner<Association>) -> String {
    match owner {
        Owner::Ours(association) | Owner::Elsewhere(association) if association.instance.is_some() => {
            association.interface.as_ref().map(|interface| format!("{interface}, ")).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn on_record(entry: &Entry) -> String {
    let mut parts = vec![match entry.volatile.phase {
        None => "not touched since boot".to_owned(),
        Some(phase) => format!("{} last", phase_text(phase)),
    }];
    if let Some(private_ip) = entry.volatile.private_ip() {
        let interface = entry.volatile.interface.as_ref().map(|id| format!("{id} ")).unwrap_or_default();
        parts.push(format!("place {interface}({private_ip})"));
    }
    for displaced in entry.durable.displaced.iter().filter(|displaced| !displaced.put_back) {
        parts.push(format!("{} made way", displaced.public_ip));
    }
    if let Some(change) = entry.durable.history.last() {
        parts.push(format!("last change: {} from {} to {}", change.action, change.from, change.to));
    }
    format!("{}: {}", entry.resource, parts.join("; "))
}

fn phase_text(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "a start began",
        Phase::Started => "started",
        Phase::Stopping => "a stop began",
        Phase::Stopped => "stopped",
        Phase::Left => "left on stop",
    }
}

fn document(invocation: &Invocation<'_>, survey: &Survey, known: &[Entry]) -> Value {
    let (ec2, address, allocation) = match &survey.by_ec2 {
        Ok((address, owner)) => {
            let ip = Some(address.public_ip.to_string());
            (owner_as_json(owner), ip, Some(address.allocation.to_string()))
        }
        Err(error) => {
            let named = invocation.text(ADDRESS).map(str::to_owned);
            let (ids, ips) = named.into_iter().partition::<Vec<_>, _>(|name| name.starts_with("eipalloc-"));
            let unknown = json!({ "answer": "unknown", "reason": error.to_string() });
            (unknown, ips.into_iter().next(), ids.into_iter().next())
        }
    };
    let metadata = match &survey.by_metadata {
        Ok(Seen::Here) => json!({ "answer": "here" }),
        Ok(Seen::NotHere(why)) => json!({ "answer": "not here", "reason": why }),
        Err(error) => json!({ "answer": "unknown", "reason": error.to_string() }),
    };
    let records: Vec<Value> = known
        .iter()
        .map(|entry| json!({ "resource": entry.resource, "volatile": entry.volatile, "durable": entry.durable }))
        .collect();
    json!({
        "address": address,
        "allocation": allocation,
        "ec2": ec2,
        "metadata": metadata,
        "agree": survey.agree(),
        "records": records,
    })
}

fn owner_as_json(owner: &Owner<Association>) -> Value {
    let (answer, association) = match owner {
        Owner::Ours(association) => ("ours", Some(association)),
        Owner::Misplaced(association) => ("misplaced", Some(association)),
        Owner::Elsewhere(association) => ("elsewhere", Some(association)),
        Owner::Unassigned => ("nobody", None),
    };
    let holder = association.map(|association| {
        json!({
            "association": association.id,
            "instance": association.instance,
            "interface": association.interface,
            "private_ip": association.private_ip,
        })
    });
    json!({ "answer": answer, "holder": holder })
}
