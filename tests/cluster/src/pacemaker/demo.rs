//! A takeover for demonstration: the resource is created, the node that holds the address dies, the other one takes over.

use std::fmt::Write as _;
use std::time::Instant;

use eip::face::ctl::drill::page::{FigureTable, ReportPage};
use eip::face::ctl::drill::picture::{LaneSpan, SpanKind, TimelineChart, TimelineLane, seconds};

use super::scenario::TAKEOVER_LIMIT;
use super::{ClusterOptions, PacemakerCluster, RESOURCE};
use crate::chronicle::Chronicle;
use crate::documents::{README, ensure_shown};
use crate::error::{HarnessError, Result, ensure};
use crate::story::Story;
use crate::suite::TestBed as _;
use crate::topology::{ELASTIC_IP, NodeName, RunId};
use crate::{built, report};

/// Whether the takeover has to match the one in README.md, apart from the figures.
#[derive(Debug, Clone, Copy)]
pub struct Compared(pub bool);

/// Runs the demonstration and removes everything.
pub fn run(options: &ClusterOptions, compared: Compared) -> Result<()> {
    let began = Instant::now();
    println!(
        "== A cluster of {} nodes: Pacemaker and Corosync, each node in its own namespaces",
        options.nodes
    );
    let cluster = PacemakerCluster::up(options)?;
    let run = cluster.run_id().clone();
    println!("   online after {:.1} s", began.elapsed().as_secs_f64());
    takeover(cluster, compared)?;
    ensure_gone(&run, options)?;
    println!("\nAll of it has been removed again. {:.0} s in all.", began.elapsed().as_secs_f64());
    Ok(())
}

fn takeover(mut cluster: PacemakerCluster, Compared(compared): Compared) -> Result<()> {
    println!("\n== The resource\n   $ {}", PacemakerCluster::creation());
    cluster.create_resource()?;
    let holder = cluster.settle(None, TAKEOVER_LIMIT)?;
    print!("{}", state(&cluster, holder)?);

    let cut = format!("== Power cut of {holder}: kill -9 of its PID 1, and its network falls silent");
    println!("\n{cut}");
    let mut story = Story::default();
    let at = cluster.power_off(holder)?;
    story.failure(at, format!("power cut of {holder}"));
    let survivor = cluster.settle(None, TAKEOVER_LIMIT)?;
    ensure(survivor != holder, || format!("the address is still on {holder}"))?;
    story.target = Some(survivor);
    story.close();
    let told = cluster.tell(&story)?;
    let timeline = format!("   seconds after the power cut\n{}", report::timeline(&told));
    let state = state(&cluster, survivor)?;
    print!("{timeline}\n{state}");
    if compared {
        ensure_shown(README, &format!("{cut}\n{timeline}\n{state}"))?;
    }
    print!("\n{}", summary(&told, holder, survivor));
    let file = built::target_folder().join("demo.html");
    std::fs::write(&file, page(&told, holder, survivor).html())
        .map_err(HarnessError::io(format_args!("writing {}", file.display())))?;
    println!("\nThe same as a picture: {}", file.display());
    Ok(())
}

fn state(cluster: &PacemakerCluster, node: NodeName) -> Result<String> {
    let status = cluster.status(node)?;
    let role =
        status.resource(RESOURCE).map(|r| format!("{} {}", r.role, r.nodes.join(" "))).unwrap_or_default();
    Ok(format!(
        "   crm_mon on {node}: {RESOURCE} (ocf:heartbeat:eip): {role}\n   \
         EC2: {ELASTIC_IP} is associated with {} ({node})\n   \
         http://{ELASTIC_IP}/ is answered by {node}\n",
        node.instance()
    ))
}

/// The steps with their times, in seconds after the failure, and since the step before.
fn rows(told: &Chronicle, from: NodeName, to: NodeName) -> Vec<Vec<String>> {
    let marks = &told.marks;
    let at =
        |instant| marks.after(instant).map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2} s"));
    let span = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => format!("{:.0} ms", (b - a) * 1000.0),
        _ => "-".to_owned(),
    };
    let rows = [
        (format!("{from} is dead"), "0.00 s".to_owned(), String::new()),
        ("Corosync suspects it".to_owned(), at(marks.detected), String::new()),
        (format!("Pacemaker runs `eip start` on {to}"), at(marks.start), String::new()),
        ("AssociateAddress reaches EC2".to_owned(), at(marks.associate), span(marks.start, marks.associate)),
        ("the address has moved".to_owned(), at(marks.moved), span(marks.associate, marks.moved)),
        (format!("a client gets an answer from {to}"), at(marks.answered), span(marks.moved, marks.answered)),
    ];
    rows.map(|(what, after, share)| vec![what, after, share]).into()
}

fn summary(told: &Chronicle, from: NodeName, to: NodeName) -> String {
    let mut text = format!("{:<40} {:>8}  {:>12}\n", "", "after", "own share");
    for row in rows(told, from, to) {
        if let [what, after, share] = row.as_slice() {
            text.push_str(format!("{what:<40} {after:>8}  {share:>12}").trim_end());
            text.push('\n');
        }
    }
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{:<40} {:>6.2} s", "outage as the client saw it", told.outage.longest);
    text
}

/// The same as a page, drawn like `eipctl drill --report`.
pub fn page(told: &Chronicle, from: NodeName, to: NodeName) -> ReportPage {
    const EVER: f64 = f64::INFINITY;
    let marks = &told.marks;
    let after = |instant| marks.after(instant).unwrap_or_default();
    let [detected, start, moved, answered] =
        [marks.detected, marks.start, marks.moved, marks.answered].map(after);
    let span = |from, to, kind, label: String| LaneSpan { from, to, kind, label };
    let lane = |name, spans| TimelineLane { name, spans, empty: "" };
    let silence = told.outage.longest;
    let cluster = vec![
        span(-EVER, 0.0, SpanKind::Old, format!("on {from}")),
        span(0.0, detected, SpanKind::Missing, format!("{from} is silent")),
        span(detected, start, SpanKind::Moving, "token, election, transition".to_owned()),
        span(start, EVER, SpanKind::New, format!("on {to}")),
    ];
    let work = format!("start on {to}, moved after {:.0} ms", (moved - start) * 1000.0);
    let ec2 = vec![
        span(-EVER, moved, SpanKind::Old, format!("{from}, dead since 0 s")),
        span(moved, EVER, SpanKind::New, to.to_string()),
    ];
    let clients = vec![
        span(-EVER, answered - silence, SpanKind::Old, from.to_string()),
        span(answered - silence, answered, SpanKind::Missing, format!("no answer for {silence:.2} s")),
        span(answered, EVER, SpanKind::New, to.to_string()),
    ];
    let lanes = vec![
        lane("cluster", cluster),
        lane("agent", vec![span(start, moved, SpanKind::Work, work)]),
        lane("EC2", ec2),
        lane("clients", clients),
    ];
    let figures = [
        (silence, "client without an answer"),
        (detected, "until Corosync suspects the node"),
        (moved - start, "from the agent's start until the address has moved"),
    ];
    ReportPage {
        title: format!("{from} dies, {to} takes {ELASTIC_IP} over"),
        about: "A real cluster of Pacemaker and Corosync, in a simulated cloud.".to_owned(),
        figures: figures.map(|(time, about)| (seconds(time), about.to_owned())).into(),
        charts: vec![TimelineChart {
            heading: format!("{from} → {to}: a power cut"),
            origin: format!("power cut of {from}"),
            lanes,
        }],
        remarks: Vec::new(),
        table: FigureTable {
            heading: "What happened when".to_owned(),
            heads: vec!["", "after", "own share"],
            texts: 1,
            rows: rows(told, from, to),
            remark: "On AWS the time that EC2 itself takes to move traffic comes on top.".to_owned(),
        },
        faster: None,
        written: "Written by make demo.".to_owned(),
    }
}

/// Checks the promise to leave nothing behind.
fn ensure_gone(run: &RunId, options: &ClusterOptions) -> Result<()> {
    let parts = NodeName::first(options.nodes).map(|node| node.to_string()).chain(["cloud".to_owned()]);
    let namespaces = parts.map(|part| run.namespace_path(part));
    let folder = std::env::temp_dir().join(run.to_string());
    match namespaces.chain([folder]).find(|path| path.exists()) {
        Some(left) => Err(HarnessError::Wrong(format!("{} was left behind", left.display()))),
        None => Ok(()),
    }
}
