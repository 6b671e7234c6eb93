//! cts-exec, Pacemaker's test of its own executor: its generic tests of OCF agents, with each of our agents instead of `Dummy`.
//!
//! The program is the package's, except for the [`substitutions`]. It ends daemons by name, which is confined to a node's PID
//! namespace. It is followed by the calls of [`answers`].

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use cluster::error::{HarnessError, Result, ensure};
use cluster::pacemaker::{ClusterOptions, ManagedAddress, PacemakerCluster};
use cluster::topology::{Layout, NodeName};

use crate::{ADDRESSES, PROGRAMS, answers, parameters, prepare_overlay};

/// All generic tests of cts-exec for OCF agents.
const TESTS: [&str; 5] = [
    "generic_registration_ocf",
    "generic_start_stop_ocf",
    "generic_monitor_cancel_ocf",
    "generic_monitor_duplicate_ocf",
    "generic_stop_implies_cancel_ocf",
];
/// The longest test waits four times nine seconds for an event that must not come.
const LIMIT: Duration = Duration::from_mins(3);

/// Runs the tests on each agent, prints one line per test, and returns whether all passed.
///
/// # Errors
/// If the nodes do not come up, if cts-exec is not the one that the substitutions expect, or on a signal.
pub fn run(agent: &Path) -> Result<bool> {
    let began = Instant::now();
    let source = Path::new(PROGRAMS).join("cts-exec");
    let source = fs::read_to_string(&source)
        .map_err(HarnessError::io(format_args!("reading {}", source.display())))?;
    let options = ClusterOptions {
        agent: agent.to_owned(),
        nodes: 3,
        token: Duration::from_secs(1),
        layout: Layout::OneSubnet,
    };
    let mut cluster = PacemakerCluster::boot(&options, |_, _| Ok(()))?;
    prepare_overlay(&cluster)?;
    let mut programs = Vec::new();
    // Each agent on its own node, all concurrently: most of the time they wait.
    for (node, address) in cluster.nodes().into_iter().zip(ADDRESSES) {
        let text = substituted(&source, address)?;
        let program = cluster.state().write(&format!("cts-exec-{}", address.agent), &text)?;
        programs.push((address.agent, node, program));
    }
    let outcomes: Vec<Result<usize>> = thread::scope(|scope| {
        let cluster = &cluster;
        let running: Vec<_> = programs
            .iter()
            .map(|(agent, node, program)| scope.spawn(move || run_on(cluster, *node, agent, program)))
            .collect();
        let panicked = || Err(HarnessError::Wrong("the thread of an agent ended early".into()));
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
    });
    let failed = outcomes.into_iter().sum::<Result<usize>>()? + answers::run(&mut cluster)?;
    let passed = (TESTS.len() + answers::COUNT) * ADDRESSES.len() - failed;
    println!("{passed} passed, {failed} failed in {:.0} s (cts-exec)", began.elapsed().as_secs_f64());
    Ok(failed == 0)
}

/// Runs each test on one agent, in a node; returns how many failed.
fn run_on(cluster: &PacemakerCluster, node: NodeName, agent: &str, program: &Path) -> Result<usize> {
    let program = program.display().to_string();
    let mut failed = 0;
    for test in TESTS {
        let words = ["python3", &program, "--run-only", test];
        let output = cluster.node(node)?.command(&words)?.limit(LIMIT).output()?;
        // It also exits with 0 if it has no test of this name.
        let passed = output.status.success() && output.stdout.contains(&format!("SUCCESS - '{test}'"));
        println!("cts-exec: {agent}: {test}: {}", if passed { "ok" } else { "FAILED" });
        if !passed {
            failed += 1;
            print!("{}{}", output.stdout, output.stderr);
        }
    }
    Ok(failed)
}

/// The replaced texts of the package's program, each with its replacement.
fn substitutions(address: &ManagedAddress) -> [(&'static str, String); 5] {
    let parameters: Vec<_> =
        parameters(address).iter().map(|(name, value)| format!("-k {name} -v {value}")).collect();
    let action = |name: &str| format!("-c exec -r ocf_test_rsc -a {name} {} ", parameters.join(" "));
    let agent = address.agent;
    [
        // The agent.
        ("-C ocf -P pacemaker -T Dummy',", format!("-C ocf -P heartbeat -T {agent}',")),
        // Its parameters.
        ("-c exec -r ocf_test_rsc -a start ", action("start")),
        ("-c exec -r ocf_test_rsc -a stop ", action("stop")),
        ("-c exec -r ocf_test_rsc -a monitor ", action("monitor")),
        // Debian's package lacks this constant; there is no build folder.
        ("{BuildOptions._BUILD_DIR}", "/nonexistent".to_owned()),
    ]
}

/// cts-exec with the agent of an address in place of `Dummy`.
fn substituted(source: &str, address: &ManagedAddress) -> Result<String> {
    let mut text = source.to_owned();
    for (theirs, ours) in substitutions(address) {
        ensure(text.contains(theirs), || format!("cts-exec has changed: {theirs:?} is not in it any more"))?;
        text = text.replace(theirs, &ours);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use cluster::pacemaker::OVERLAY;

    use super::*;

    /// The lines of cts-exec of Pacemaker 3.0.3 that are replaced, and one that must not be.
    const LINES: &str = r#"
            "ocf_reg_line": f'-c register_rsc -r ocf_test_rsc {self._action_timeout} -C ocf -P pacemaker -T Dummy',
            "ocf_start_line": f'-c exec -r ocf_test_rsc -a start {self._action_timeout} ',
            "ocf_stop_line": f'-c exec -r ocf_test_rsc -a stop {self._action_timeout} ',
            "ocf_monitor_line": f'-c exec -r ocf_test_rsc -a monitor -i 2s {self._action_timeout} ',
            "ocf_cancel_line": f'-c cancel -r ocf_test_rsc -a monitor -i 2s {self._action_timeout} ',
        if os.path.exists(f"{BuildOptions._BUILD_DIR}/cts/cts-exec.in"):
"#;

    #[test]
    fn the_agent_and_its_parameters_are_put_in_the_place_of_dummy() {
        let text = substituted(LINES, &OVERLAY).unwrap();
        let parameters =
            "-k overlay_ip -v 192.168.10.1 -k routing_table -v auto -k endpoint_url -v http://10.77.0.1:8080";
        for line in [
            "-C ocf -P heartbeat -T overlay-ip',".to_owned(),
            format!("-a start {parameters} {{self._action_timeout}} '"),
            format!("-a stop {parameters} {{self._action_timeout}} '"),
            format!("-a monitor {parameters} -i 2s {{self._action_timeout}} '"),
            "-c cancel -r ocf_test_rsc -a monitor -i 2s {self._action_timeout} '".to_owned(),
        ] {
            assert!(text.contains(&line), "no {line} in {text}");
        }
        assert!(!text.contains("Dummy") && !text.contains("_BUILD_DIR"), "{text}");
    }

    #[test]
    fn a_cts_exec_of_another_shape_is_refused_instead_of_testing_dummy() {
        let error = substituted("print('hello')", &OVERLAY).unwrap_err().to_string();
        assert!(error.starts_with("cts-exec has changed"), "{error}");
    }
}
