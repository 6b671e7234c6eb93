//! The state of all addresses: where the sources contradict each other, and how a person sees it. As JSON it is described by
//! `docs/status.schema.json`.

use std::fmt::{Display, Write as _};

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::base::text::one_line;
use crate::base::timezone;

/// Red, for what contradicts something else or was not seen.
const ALARM: &str = "\x1b[1;31m";
/// Yellow, for a node that could not take an address.
const CAUTION: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// The state of all addresses at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// When it was collected.
    pub at: Moment,
    /// The cluster's name for this node.
    pub node: String,
    /// Where the list of addresses is from: `cluster`, `saved configuration` or `records`.
    pub listed_by: &'static str,
    /// The nodes; `None` if the cluster did not answer.
    pub cluster: Option<Membership>,
    /// What could not be seen, one sentence each.
    pub unseen: Vec<String>,
    /// In the order of the configuration.
    pub addresses: Vec<AddressState>,
}

/// The nodes of the cluster.
#[derive(Debug, Clone, Serialize)]
pub struct Membership {
    /// Whether this partition has quorum.
    pub quorum: bool,
    /// Names of all nodes.
    pub nodes: Vec<String>,
}

/// One address, according to each source.
#[derive(Debug, Clone, Serialize)]
pub struct AddressState {
    /// The cluster's name for it.
    pub resource: String,
    /// Its agent, such as `ocf:heartbeat:eip`.
    pub agent: String,
    /// The address itself; `None` if only its allocation id is known.
    pub address: Option<String>,
    /// Allocation id of an Elastic IP, if known.
    pub allocation: Option<String>,
    /// According to the cluster; `None` if it did not answer.
    pub cluster: Option<Placement>,
    /// Holder according to EC2, or why it is not known.
    pub ec2: Holding,
    /// According to each node, and whether that node could take it.
    pub nodes: Vec<NodeOpinion>,
    /// The last change of holder that this node made.
    pub last_move: Option<LastMove>,
    /// Sources that contradict each other, one sentence each.
    pub disagreements: Vec<String>,
    /// Whether a stop leaves it in EC2 where it is.
    #[serde(skip)]
    pub is_left: bool,
}

/// Where the cluster has a resource.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Placement {
    /// `Started`, `Stopped`, ..., or the operation in progress.
    pub state: String,
    /// Nodes on which it is active.
    pub nodes: Vec<String>,
    /// Whether it is started, with no operation in progress.
    #[serde(skip)]
    pub is_settled: bool,
    /// The names of the machine that has it: its node and, if that is a container, its host. Empty if that is not known.
    #[serde(skip)]
    pub machine: Vec<String>,
    /// Since when it is active there.
    pub since: Option<Moment>,
}

/// The holder of an address according to EC2, from this node's point of view.
#[derive(Debug, Clone, Serialize)]
pub struct Holding {
    /// `ours`, `misplaced`, `elsewhere`, `nobody` or `unknown`.
    pub answer: &'static str,
    /// The same in a sentence.
    pub text: String,
    /// What has it, as in `eipctl show --json`.
    pub holder: Option<Value>,
    /// Whether `elsewhere` may be this node, because its instance metadata is silent.
    #[serde(skip)]
    pub is_vague: bool,
}

/// What one node reports about an address.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NodeOpinion {
    /// Node name.
    pub name: String,
    /// Whether it has the address, according to its instance metadata, for an overlay address to its network devices.
    pub here: Opinion,
    /// Whether it could take the address, or has it.
    pub ready: Opinion,
    /// Why; empty if there is nothing to say.
    pub reason: String,
    /// Network devices with the address; `None` if they were not examined, as on every node but this one.
    pub devices: Option<Vec<String>>,
    /// Seconds since the node reported it; `None` for what was found out now.
    pub age_s: Option<u64>,
    /// Whether the cluster has started or stopped the resource since then.
    #[serde(skip)]
    pub is_outdated: bool,
}

/// An answer of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// It has the address, or could take it.
    Yes,
    /// It does not have the address, or could not take it.
    No,
    /// The node could not find out.
    Unknown,
    /// The node reported nothing.
    #[default]
    NotReported,
}

/// A change of holder.
#[derive(Debug, Clone, Serialize)]
pub struct LastMove {
    /// When the action finished.
    pub at: Moment,
    /// Action that made it.
    pub action: String,
    /// Previous holder, or `unassigned`.
    pub from: String,
    /// New holder, or `unassigned`.
    pub to: String,
    /// How long the whole action took, in milliseconds.
    pub took_ms: u64,
}

/// A time in milliseconds since 1970; in JSON in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub u64);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&timezone::utc_time(self.0))
    }
}

impl From<Option<bool>> for Opinion {
    fn from(answer: Option<bool>) -> Self {
        answer.map_or(Self::Unknown, |yes| if yes { Self::Yes } else { Self::No })
    }
}

impl Holding {
    /// EC2 did not say, for this reason.
    pub fn unknown(reason: &impl Display) -> Self {
        Self { answer: "unknown", text: format!("unknown: {reason}"), holder: None, is_vague: false }
    }

    /// The sentence without the answer, which ends at the first colon.
    fn detail(&self) -> &str {
        self.text.split_once(": ").map_or(&self.text, |(_, detail)| detail)
    }
}

impl AddressState {
    /// Where the sources contradict each other. What is in motion contradicts nothing: `node` is this node, from which EC2's
    /// answer is seen.
    pub fn contradictions(&self, node: &str) -> Vec<String> {
        let mut found = Vec::new();
        let ec2 = &self.ec2;
        let tables = ec2.holder.as_ref().and_then(|holder| holder.get("tables")?.as_array());
        let mut targets: Vec<_> = tables.into_iter().flatten().map(|table| &table["target"]).collect();
        targets.sort_by_key(ToString::to_string);
        targets.dedup();
        // Tables without a route are reported as that: no other node has it.
        let is_partly_here = tables.into_iter().flatten().any(|table| table["here"] == true);
        let mut answer = ec2.answer;
        let leading = targets.iter().filter(|target| !target.is_null()).count();
        if leading > 1 {
            found.push(format!("its route tables lead to different targets: {}", ec2.detail()));
        } else if leading < targets.len() {
            found.push(format!("a route table has no route for it: {}", ec2.detail()));
            answer = if is_partly_here { "ours" } else { answer };
        }
        let Some(placement) = &self.cluster else {
            let own = self.nodes.iter().find(|own| own.name == node).map(|own| own.here);
            let differs = match (answer, own) {
                ("ours", Some(Opinion::No)) => !self.is_left,
                ("elsewhere" | "nobody", Some(Opinion::Yes)) => true,
                _ => false,
            };
            if differs {
                found.push(format!("EC2 and {node} disagree: {}", ec2.text));
            }
            return found;
        };
        let running = match (placement.nodes.as_slice(), placement.is_settled) {
            ([_], true) if placement.machine.is_empty() => return found,
            ([only], true) => Some(only),
            ([], false) if placement.state.starts_with("Stopped") => None,
            ([], _) | ([_], false) => return found,
            (several, _) => {
                found.push(format!("the cluster has it on several nodes: {}", several.join(", ")));
                return found;
            }
        };
        let machine = if running.is_some() { placement.machine.as_slice() } else { &[] };
        let claim = match machine {
            [] => "no node runs it".to_owned(),
            on => format!("the cluster runs it on {}", on.join(" on ")),
        };
        let is_here = machine.iter().any(|name| name == node);
        let refuted = match (running, answer) {
            (Some(_), "misplaced") if is_here => Some("EC2 shows it elsewhere on this node"),
            (Some(_), "elsewhere") if is_here && !ec2.is_vague => Some("EC2 shows it elsewhere"),
            (Some(_), "nobody") => Some("EC2 shows no holder"),
            (Some(_), "ours" | "misplaced") if !is_here => Some("EC2 shows it on this node"),
            (None, "ours" | "misplaced") if !self.is_left => Some("EC2 shows it on this node"),
            _ => None,
        };
        found.extend(refuted.map(|refuted| format!("{claim}, {refuted}: {}", ec2.detail())));
        for one in self.nodes.iter().filter(|one| !one.is_outdated) {
            let name = &one.name;
            let runs = machine.contains(name);
            let has_device = one.devices.as_ref().map(|devices| !devices.is_empty());
            let refuted = match (runs, one.here, has_device) {
                (true, Opinion::No, _) => format!("{name} does not have it"),
                (true, _, Some(false)) => format!("no network device of {name} has it"),
                (false, _, Some(true)) => format!("a network device of {name} has it"),
                (false, Opinion::Yes, None) if running.is_some() || !self.is_left => format!("{name} has it"),
                (false, Opinion::Yes, Some(false)) if running.is_some() => {
                    format!("instance metadata of {name} shows it")
                }
                _ => continue,
            };
            found.push(format!("{claim}, {refuted}{}", one.reported()));
        }
        found
    }

    /// The lines about it, each with a label and a colour.
    fn lines(&self) -> Vec<(String, String, &'static str)> {
        let mut lines = Vec::new();
        let mut line = |label: &str, text: String, colour| lines.push((label.to_owned(), text, colour));
        if let Some(Placement { state, nodes, since, .. }) = &self.cluster {
            let on = if nodes.is_empty() { String::new() } else { format!(" on {}", nodes.join(", ")) };
            let since = since.map(|at| format!(" since {}", timezone::local_time(at.0))).unwrap_or_default();
            line("cluster", format!("{state}{on}{since}"), "");
        }
        let here = (self.ec2.answer == "ours").then(|| format!("this node: {}", self.ec2.detail()));
        let vague =
            if self.ec2.is_vague { "; instance metadata does not say whether that is this node" } else { "" };
        line("EC2", here.unwrap_or_else(|| format!("{}{vague}", self.ec2.text)), "");
        for one in &self.nodes {
            line(&one.name, one.text(), if one.ready == Opinion::No { CAUTION } else { "" });
        }
        if let Some(LastMove { at, action, from, to, took_ms }) = &self.last_move {
            let at = timezone::local_time(at.0);
            line(
                "last move",
                format!("{at}, {action}: from {from} to {to}, {took_ms} ms (by this node)"),
                "",
            );
        }
        for text in &self.disagreements {
            line("DISAGREE", text.clone(), ALARM);
        }
        lines
    }
}

impl NodeOpinion {
    fn text(&self) -> String {
        let here = match self.here {
            Opinion::Yes => "here",
            Opinion::No => "not here",
            Opinion::Unknown => "unknown whether here",
            Opinion::NotReported => "(not reported)",
        };
        let on = match self.devices.as_deref() {
            None | Some([]) => String::new(),
            Some(devices) => format!(", on {}", devices.join(", ")),
        };
        let ready = match self.ready {
            Opinion::Yes => "; ready",
            Opinion::No => "; NOT READY",
            Opinion::Unknown => "; unknown whether ready",
            Opinion::NotReported => "",
        };
        let reason = if self.reason.is_empty() || self.ready == Opinion::Yes {
            String::new()
        } else {
            format!(": {}", self.reason)
        };
        format!("{here}{on}{ready}{reason}{}", self.reported())
    }

    fn reported(&self) -> String {
        self.age_s.map(|age| format!(" (reported {} ago)", duration(age))).unwrap_or_default()
    }
}

/// Seconds in the two largest units.
fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86400),
    }
}

impl Overview {
    /// The screen as text, with colours of a terminal if requested.
    pub fn show(&self, in_colour: bool) -> String {
        let mut screen = String::new();
        let mut put = |line: &str, colour: &str| {
            // Writing to a `String` cannot fail.
            let _ = if colour.is_empty() || !in_colour {
                writeln!(screen, "{}", line.trim_end())
            } else {
                writeln!(screen, "{colour}{}{PLAIN}", line.trim_end())
            };
        };
        let nodes = match &self.cluster {
            Some(Membership { quorum, nodes }) => {
                let quorum = if *quorum { "with quorum" } else { "WITHOUT QUORUM" };
                format!("nodes {} {quorum}; ", nodes.join(", "))
            }
            None => String::new(),
        };
        put(&format!("{nodes}seen from {} at {}", one_line(&self.node), timezone::local_time(self.at.0)), "");
        if self.listed_by != "cluster" {
            put(&format!("addresses taken from the {}", self.listed_by), "");
        }
        for text in &self.unseen {
            put(&format!("NOT SEEN  {}", one_line(text)), ALARM);
        }
        for address in &self.addresses {
            let named = [&address.address, &address.allocation].into_iter().flatten();
            let named = named.map(String::as_str).collect::<Vec<_>>().join(" ");
            put("", "");
            put(&one_line(&format!("{}  {named}  {}", address.resource, address.agent)), "");
            let lines = address.lines();
            let width = lines.iter().map(|(label, ..)| label.chars().count()).max().unwrap_or_default();
            for (label, text, colour) in lines {
                put(&format!("  {:width$}  {}", one_line(&label), one_line(&text)), colour);
            }
        }
        screen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn opinion(name: &str, here: Opinion) -> NodeOpinion {
        let (ready, reason) = (Opinion::Yes, String::new());
        let name = name.to_owned();
        NodeOpinion { name, here, ready, reason, devices: None, age_s: None, is_outdated: false }
    }

    fn state(on: &[&str], answer: &'static str, here: [Opinion; 2]) -> AddressState {
        let nodes: Vec<String> = on.iter().map(|&on| on.to_owned()).collect();
        let (is_settled, state) = (nodes.len() == 1, if nodes.is_empty() { "Stopped" } else { "Started" });
        AddressState {
            resource: "eip".to_owned(),
            agent: "ocf:heartbeat:eip".to_owned(),
            address: Some("203.0.113.10".to_owned()),
            allocation: None,
            cluster: Some(Placement {
                state: state.to_owned(),
                machine: if is_settled { nodes.clone() } else { Vec::new() },
                nodes,
                is_settled,
                since: None,
            }),
            ec2: Holding { answer, text: format!("{answer}: i-1"), holder: None, is_vague: false },
            nodes: vec![opinion("n1", here[0]), opinion("n2", here[1])],
            last_move: None,
            disagreements: Vec::new(),
            is_left: false,
        }
    }

    #[test]
    fn what_contradicts_the_cluster_is_reported_once_for_each_source() {
        use Opinion::{No, NotReported, Unknown, Yes};
        type Row = (&'static [&'static str], &'static str, [Opinion; 2], &'static [&'static str]);
        let rows: [Row; 14] = [
            (&["n1"], "ours", [Yes, No], &[]),
            (&["n2"], "elsewhere", [No, NotReported], &[]),
            (&["n1"], "unknown", [Unknown, Unknown], &[]),
            (&["n1"], "elsewhere", [Yes, No], &["EC2 shows it elsewhere"]),
            (&["n1"], "misplaced", [No, No], &["elsewhere on this node", "n1 does not have it"]),
            (&["n1"], "nobody", [Unknown, No], &["EC2 shows no holder"]),
            (&["n2"], "nobody", [No, No], &["EC2 shows no holder", "n2 does not have it"]),
            (&["n2"], "ours", [Yes, NotReported], &["EC2 shows it on this node", "n1 has it"]),
            (&["n2"], "elsewhere", [Yes, Yes], &["n1 has it"]),
            (&[], "nobody", [No, No], &[]),
            (&[], "elsewhere", [No, NotReported], &[]),
            (&[], "ours", [Unknown, No], &["no node runs it, EC2 shows it on this node"]),
            (&[], "unknown", [Unknown, Yes], &["no node runs it, n2 has it"]),
            (&["n1", "n2"], "ours", [Yes, Yes], &["on several nodes: n1, n2"]),
        ];
        for (on, answer, here, expected) in rows {
            let found = state(on, answer, here).contradictions("n1");
            let fits = found.iter().zip(expected).all(|(found, expected)| found.contains(expected));
            assert!(fits && found.len() == expected.len(), "{on:?} {answer} {here:?}: {found:?}");
        }
    }

    #[test]
    fn what_is_in_motion_or_left_on_purpose_contradicts_nothing() {
        use Opinion::{No, Yes};
        let mut moving = state(&["n2"], "ours", [Yes, No]);
        moving.cluster.as_mut().unwrap().is_settled = false;
        assert_eq!(moving.contradictions("n1"), [""; 0]);
        let mut left = state(&[], "ours", [Yes, No]);
        left.is_left = true;
        assert_eq!(left.contradictions("n1"), [""; 0]);
        left.nodes[0].devices = Some(vec!["eth0".to_owned()]);
        assert_eq!(left.contradictions("n1"), ["no node runs it, a network device of n1 has it"]);
        let mut outdated = state(&["n1"], "ours", [Yes, Yes]);
        outdated.nodes[1].is_outdated = true;
        assert_eq!(outdated.contradictions("n1"), [""; 0]);
        let mut vague = state(&["n1"], "elsewhere", [Opinion::Unknown, No]);
        vague.ec2.is_vague = true;
        assert_eq!(vague.contradictions("n1"), [""; 0]);
    }

    /// Every healthy address inside a bundle contradicted the node of its container.
    #[test]
    fn an_address_in_a_container_is_compared_with_its_host() {
        use Opinion::{No, NotReported, Yes};
        let inside = |machine: &[&str], answer, here| {
            let mut inside = state(&["web-0"], answer, here);
            inside.nodes.push(opinion("web-0", NotReported));
            inside.cluster.as_mut().unwrap().machine = machine.iter().map(|&name| name.to_owned()).collect();
            inside
        };
        let on_n1 = inside(&["web-0", "n1"], "ours", [Yes, No]);
        for node in ["n1", "web-0"] {
            assert_eq!(on_n1.contradictions(node), [""; 0]);
        }
        let elsewhere = inside(&["web-0", "n2"], "ours", [Yes, No]).contradictions("n1");
        assert!(elsewhere[0].starts_with("the cluster runs it on web-0 on n2, EC2 shows it on this node"));
        assert_eq!(
            elsewhere[1..],
            ["n1 has it", "n2 does not have it"]
                .map(|text| { format!("the cluster runs it on web-0 on n2, {text}") })
        );
        assert_eq!(inside(&[], "ours", [Yes, No]).contradictions("n1"), [""; 0], "the host is not known");
    }

    #[test]
    fn without_the_cluster_ec2_and_this_node_are_compared() {
        let mut alone = state(&["n1"], "elsewhere", [Opinion::Yes, Opinion::NotReported]);
        alone.cluster = None;
        assert_eq!(alone.contradictions("n1"), ["EC2 and n1 disagree: elsewhere: i-1"]);
        alone.ec2.answer = "ours";
        assert_eq!(alone.contradictions("n1"), [""; 0]);
    }

    #[test]
    fn routes_that_a_stop_left_here_are_no_disagreement_while_pacemaker_is_down() {
        let mut stopped = state(&[], "ours", [Opinion::No, Opinion::NotReported]);
        stopped.cluster = None;
        assert_eq!(stopped.contradictions("n1"), ["EC2 and n1 disagree: ours: i-1"]);
        stopped.is_left = true;
        assert_eq!(stopped.contradictions("n1"), [""; 0]);
    }

    #[test]
    fn route_tables_that_lead_to_different_targets_do_not_agree() {
        let mut split = state(&["n2"], "elsewhere", [Opinion::No, Opinion::Yes]);
        split.ec2.holder = Some(json!({ "tables": [{ "target": "eni-1" }, { "target": "eni-1" }] }));
        assert_eq!(split.contradictions("n1"), [""; 0]);
        for (target, says) in
            [(json!("eni-2"), "lead to different targets"), (json!(null), "has no route for it")]
        {
            split.ec2.holder = Some(json!({ "tables": [{ "target": "eni-1" }, { "target": target }] }));
            let found = split.contradictions("n1");
            assert!(found.len() == 1 && found[0].contains(says), "{found:?}");
        }
        let mut partly = state(&["n1"], "elsewhere", [Opinion::Yes, Opinion::No]);
        let tables = json!([{ "target": "eni-1", "here": true }, { "target": null, "here": false }]);
        partly.ec2.holder = Some(json!({ "tables": tables }));
        assert_eq!(partly.contradictions("n1"), ["a route table has no route for it: i-1"]);
    }

    #[test]
    fn colour_adds_nothing_that_words_do_not() {
        let mut address = state(&["n1"], "elsewhere", [Opinion::No, Opinion::Yes]);
        address.disagreements = address.contradictions("n1");
        address.nodes[1].ready = Opinion::No;
        (address.nodes[1].reason, address.nodes[1].age_s) = ("no credentials\x1b[2J".to_owned(), Some(12));
        let overview = Overview {
            at: Moment(1_790_000_000_000),
            node: "n1".to_owned(),
            listed_by: "records",
            cluster: None,
            unseen: vec!["crm_mon: no answer within 3 s".to_owned()],
            addresses: vec![address],
        };
        let (plain, coloured) = (overview.show(false), overview.show(true));
        for part in [
            "NOT SEEN  crm_mon",
            "  DISAGREE  the cluster",
            "here; NOT READY: no credentials",
            "(reported 12 s ago)",
        ] {
            assert!(plain.contains(part), "{part}\n{plain}");
        }
        assert!(
            !plain.contains('\x1b') && coloured.contains(ALARM) && coloured.contains(CAUTION),
            "{coloured}"
        );
        let bare = [ALARM, CAUTION, PLAIN].iter().fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(bare, plain);
    }
}
