//! The responses that one action got from AWS, from the record of its requests.

use std::collections::BTreeMap;
use std::time::Duration;

use eip::cloud::model::{CallRecord, Service};

use crate::kinds::{Held, PlayedKind};
use crate::names::{NodeId, node_of};

/// A description of the address that arrived.
#[derive(Debug, Clone)]
pub struct Described {
    /// When EC2 made it.
    pub made: Duration,
    /// When it arrived.
    pub arrived: Duration,
    /// Since when the state that it shows was so.
    pub state: Duration,
}

/// What one action was told, as far as the rules ask for it.
// Each is a fact of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// It asked EC2.
    pub asked_ec2: bool,
    /// The call that it sent once more after IAM had denied it twice: once is worth a repetition, a policy needs a moment.
    pub asked_again: Option<String>,
    /// EC2 described the address.
    pub by_ec2: bool,
    /// EC2 described it with another holder than this node, or none.
    pub ec2_denied: bool,
    /// EC2 described what was before.
    pub ec2_was_stale: bool,
    /// Each description of it that arrived.
    pub described: Vec<Described>,
    /// When the first `ReplaceRoute` was sent for each route table.
    pub ordered: BTreeMap<String, Duration>,
    /// A question to the metadata service got no answer.
    pub imds_failed: bool,
    /// The metadata service showed it here.
    pub imds_showed: bool,
    /// The metadata service did not show it here.
    pub imds_denied: bool,
}

/// The state of the address at a moment.
fn at(history: &[Held], moment: Duration) -> Option<&Held> {
    history.iter().rev().find(|held| held.since <= moment).or_else(|| history.first())
}

impl Told {
    /// Finds out what action `number` of a node was told.
    pub fn of(
        kind: PlayedKind,
        node: NodeId,
        number: usize,
        records: &[CallRecord],
        history: &[Held],
    ) -> Self {
        let mut told = Self::default();
        let mut denied = Vec::new();
        let own = records.iter().filter(|record| {
            record.by.process == number
                && record.by.instance.as_ref().and_then(|id| node_of(id.as_str())) == Some(node)
        });
        for record in own {
            let shown = record.seen.filter(|_| record.failure.is_none() && record.answered.is_some());
            match record.service {
                Service::Imds => {
                    // "Absent" is an answer.
                    told.imds_failed |= record.failure.is_some() && record.seen.is_none();
                    if let Some(seen) = shown.filter(|_| kind.is_shown_by(&record.operation)) {
                        let here = at(history, seen).is_some_and(|held| held.by == Some(node));
                        told.imds_showed |= here;
                        told.imds_denied |= !here;
                    }
                }
                Service::Ec2 | Service::Sts => {
                    told.asked_ec2 |= record.operation != "credentials";
                    if record.operation == "ReplaceRoute" {
                        told.ordered.entry(record.object.clone()).or_insert(record.by.sent);
                    }
                    let call = (&record.operation, &record.object);
                    if denied.iter().filter(|before| **before == call).count() > 1 {
                        told.asked_again = Some(record.to_string());
                    }
                    if record.failure.as_deref() == Some("UnauthorizedOperation") {
                        denied.push(call);
                    }
                    if let (Some(seen), Some(made), Some(arrived)) = (shown, record.served, record.answered) {
                        told.described(node, history, seen, made, arrived);
                    }
                }
            }
        }
        told
    }

    fn described(
        &mut self,
        node: NodeId,
        history: &[Held],
        seen: Duration,
        made: Duration,
        arrived: Duration,
    ) {
        let (Some(then), Some(now)) = (at(history, seen), at(history, made)) else { return };
        self.by_ec2 = true;
        self.ec2_denied |= then.by != Some(node);
        self.ec2_was_stale |= then.since != now.since;
        self.described.push(Described { made, arrived, state: then.since });
    }
}
