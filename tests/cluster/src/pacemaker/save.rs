//! Saves what helps to explain a failure: the nodes' logs, the simulator's request log, the history of the address.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use aws_sim::{LoggedRequest, Service};

use super::PacemakerCluster;
use crate::command::Cmd;
use crate::error::{HarnessError, Result};

const LOG_LINES: usize = 25;
const AGENT_LINES: usize = 20;
const REQUESTS: usize = 30;

/// Copies everything into a folder below `base` and returns that folder.
fn all(cluster: &PacemakerCluster, base: &Path, scenario: &str) -> Result<PathBuf> {
    let folder = base.join(cluster.run_id().to_string()).join(scenario);
    fs::create_dir_all(&folder).map_err(HarnessError::io(format_args!("making {}", folder.display())))?;
    for name in cluster.nodes() {
        let node = cluster.node(name)?;
        let target = folder.join(name.to_string());
        Cmd::new(["cp", "-r", &node.logs().display().to_string(), &target.display().to_string()])
            .during_cleanup()
            .run()?;
    }
    let lines = |values: Vec<String>| values.join("\n") + "\n";
    let requests = cluster.world().requests_since(0.0);
    let requests =
        requests.iter().map(|request| serde_json::to_string(request).unwrap_or_default()).collect();
    write(&folder.join("requests.jsonl"), &lines(requests))?;
    let history = cluster.world().history().iter().map(|held| format!("{held:?}")).collect();
    write(&folder.join("history.txt"), &lines(history))?;
    Ok(folder)
}

/// Prints the most telling lines, and saves everything in a folder below `base`.
pub fn explain(cluster: &PacemakerCluster, base: &Path, scenario: &str) {
    print!("{}", digest(cluster));
    match all(cluster, base, scenario) {
        Ok(folder) => println!("--- all logs: {}", folder.display()),
        Err(error) => println!("--- logs could not be kept: {error}"),
    }
}

/// The most telling lines: those of the agent, the end of each node's log, and the last requests.
fn digest(cluster: &PacemakerCluster) -> String {
    let mut text = String::new();
    for name in cluster.nodes() {
        let Ok(node) = cluster.node(name) else { continue };
        let log = fs::read_to_string(node.logs().join("pacemaker/pacemaker.log")).unwrap_or_default();
        let ours = |line: &&str| line.contains("eip(") || line.contains("ocf-exit-reason");
        // The scheduler repeats what it knows, and the other daemons log each change of membership again; pings come from this
        // harness.
        let notable = |line: &&str| {
            line.contains("pacemaker-controld")
                && !line.contains("(handle_ping)")
                && ["notice: ", "warning: ", "error: "].iter().any(|level| line.contains(level))
        };
        let _ = writeln!(text, "--- {name}: agent");
        push_last(&mut text, log.lines().filter(ours), AGENT_LINES);
        let _ = writeln!(text, "--- {name}: pacemaker.log");
        push_last(&mut text, log.lines().filter(notable), LOG_LINES);
    }
    text.push_str("--- requests\n");
    let requests = cluster.world().requests_since(0.0);
    // Successful metadata queries would crowd everything else out.
    let telling = |request: &&LoggedRequest| request.service != Service::Imds || request.fault.is_some();
    let shown = requests.iter().filter(telling).map(|request| {
        let who = cluster.world().sender(request).map_or_else(|| "?".to_owned(), |node| node.to_string());
        let outcome = request.code.as_ref().or(request.fault.as_ref()).cloned().unwrap_or_default();
        format!("{:.3} {who} {} {} {outcome}", request.at, request.operation, request.status)
    });
    let shown: Vec<_> = shown.collect();
    push_last(&mut text, shown.iter().map(String::as_str), REQUESTS);
    text
}

fn push_last<'a>(text: &mut String, lines: impl Iterator<Item = &'a str>, count: usize) {
    let lines: Vec<_> = lines.collect();
    for line in lines.iter().skip(lines.len().saturating_sub(count)) {
        let _ = writeln!(text, "{line}");
    }
}

fn write(path: &Path, contents: &str) -> Result<()> {
    fs::write(path, contents).map_err(HarnessError::io(format_args!("writing {}", path.display())))
}
