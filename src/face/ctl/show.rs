//! `eipctl show`: who holds an address, according to each source.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::call::{Failure, Invocation, aligned, print, print_json};
use super::options::JSON;
use super::subject::Subject;
use crate::base::chain_of;
use crate::network::{Network as _, NetworkError};
use crate::resource::recorded::RecordedResource;
use crate::resource::survey::Survey;
use crate::resource::{Action, Report, op};
use crate::state::Phase;
use crate::with_kind;
use crate::world;

/// The network devices of this node that have the address.
type OnDevices = Result<Vec<String>, NetworkError>;

/// Prints what is known; fails if EC2 did not answer.
pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let subject = Subject::of(invocation)?;
    let survey = with_kind!(subject.agent, K => {
        let (request, world) = subject.query::<K>(invocation, Action::Monitor { level: 10 })?;
        invocation.run(async { Ok(op::<K, _>(&world, &request).survey().await) })?
    });
    // EC2's answer also finds records that name the address the other way, by address or by allocation id.
    let recorded: Vec<_> = match &survey.by_ec2 {
        Ok(shown) => {
            let names = [Some(shown.address.to_string()), shown.other_name.clone()];
            let names: Vec<_> = names.into_iter().flatten().collect();
            invocation.on_record().0.into_iter().filter(|records| records.is_about(&names)).collect()
        }
        Err(_) => subject.recorded.clone(),
    };
    let devices = match subject.address.parse() {
        Ok(ip) if subject.agent.has("add_to_device") => {
            Some(invocation.run(async { Ok(devices_with(ip).await) })?)
        }
        _ => None,
    };
    if invocation.is_set(JSON) {
        print_json(&document(&subject, &survey, devices.as_ref(), &recorded))?;
    } else {
        print(&aligned(&lines(&subject, &survey, devices.as_ref(), &recorded)))?;
    }
    match survey.by_ec2 {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Failed(chain_of(&error))),
    }
}

/// The network devices of this node that have an address.
pub(super) async fn devices_with(ip: IpAddr) -> OnDevices {
    let devices = world::host().devices().await?;
    let having = devices.into_iter().filter(|device| device.has(ip));
    Ok(having.map(|device| if device.up { device.name } else { format!("{} (down)", device.name) }).collect())
}

fn lines(
    subject: &Subject,
    survey: &Survey,
    devices: Option<&OnDevices>,
    recorded: &[RecordedResource],
) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |label: &str, text: String| lines.push((label.to_owned(), text));
    match &survey.by_ec2 {
        Ok(shown) => {
            let other_name = shown.other_name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            line("address", format!("{}{other_name}", shown.address));
            line("EC2", shown.sentence.clone());
            for (label, text) in &shown.parts {
                line(&format!("  {label}"), text.clone());
            }
        }
        Err(error) => {
            line("address", subject.address.clone());
            line("EC2", format!("unknown: {error}"));
        }
    }
    let agree = match survey.agree() {
        Some(true) => " (agrees)",
        Some(false) => " (disagrees: it can lag behind EC2 by minutes)",
        None => "",
    };
    match &survey.by_metadata {
        Some(Ok(Report::Done)) => line("instance metadata", format!("here{agree}")),
        Some(Ok(Report::NotHere(why))) => line("instance metadata", format!("not here: {why}{agree}")),
        Some(Err(error)) => line("instance metadata", format!("unknown: {error}")),
        None => {}
    }
    match devices {
        Some(Ok(names)) if names.is_empty() => line("network device", "none on this node".to_owned()),
        Some(Ok(names)) => line("network device", names.join(", ")),
        Some(Err(error)) => line("network device", format!("unknown: {error}")),
        None => {}
    }
    match &subject.unread {
        Some(reason) => line("record", format!("unknown: {reason}")),
        None if recorded.is_empty() => line("record", "none on this node".to_owned()),
        None => {}
    }
    for records in recorded {
        line("record", on_record(records));
    }
    lines
}

fn on_record(records: &RecordedResource) -> String {
    let (volatile, durable) = (&records.volatile, &records.durable);
    let mut parts = vec![match volatile.phase {
        None => "no action since boot".to_owned(),
        Some(phase) => phase_text(phase).to_owned(),
    }];
    let interface = volatile.interface.as_ref().map(ToString::to_string);
    let private_ip = volatile.private_ip().map(|ip| format!("({ip})"));
    let place: Vec<String> = [interface, private_ip].into_iter().flatten().collect();
    if !place.is_empty() {
        parts.push(format!("target {}", place.join(" ")));
    }
    if let Some(tables) = &durable.tables {
        let ids: Vec<&str> = tables.ids.iter().map(AsRef::as_ref).collect();
        parts.push(format!("route tables {}", ids.join(", ")));
    }
    for displaced in durable.displaced.iter().filter(|displaced| !displaced.put_back) {
        parts.push(format!("{} displaced", displaced.public_ip));
    }
    if let Some(change) = durable.history.last() {
        parts.push(format!("last change: {} from {} to {}", change.action, change.from, change.to));
    }
    format!("{}: {}", records.resource, parts.join("; "))
}

fn phase_text(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Started => "started",
        Phase::Stopping => "stopping",
        Phase::Stopped => "stopped",
        Phase::Left => "left in place by stop",
    }
}

fn document(
    subject: &Subject,
    survey: &Survey,
    devices: Option<&OnDevices>,
    recorded: &[RecordedResource],
) -> Value {
    let unknown = |reason: String| json!({ "answer": "unknown", "reason": reason });
    let (ec2, address, allocation) = match &survey.by_ec2 {
        Ok(shown) => (
            json!({ "answer": shown.answer, "holder": shown.holder }),
            Some(shown.address.to_string()),
            shown.other_name.clone(),
        ),
        Err(error) => {
            let is_id = subject.address.starts_with("eipalloc-");
            let name_if = |is_such: bool| is_such.then(|| subject.address.clone());
            (unknown(error.to_string()), name_if(!is_id), name_if(is_id))
        }
    };
    let metadata = survey.by_metadata.as_ref().map(|seen| match seen {
        Ok(Report::Done) => json!({ "answer": "here" }),
        Ok(Report::NotHere(why)) => json!({ "answer": "not here", "reason": why }),
        Err(error) => unknown(error.to_string()),
    });
    let records: Vec<Value> = recorded
        .iter()
        .map(|one| json!({ "resource": one.resource, "volatile": one.volatile, "durable": one.durable }))
        .collect();
    json!({
        "address": address,
        "allocation": allocation,
        "agent": subject.agent.resource_type(),
        "ec2": ec2,
        "metadata": metadata,
        "agree": survey.agree(),
        "devices": devices.and_then(|devices| devices.as_ref().ok()),
        "records": subject.unread.is_none().then_some(records),
    })
}
