//! The argument: output for users, and unknown actions.

use agent_tests::{Isolation, KINDS, SimulatedWorld};

/// [call-3]
#[test]
fn usage_and_help_are_text_on_standard_output() {
    let Some(isolation) = Isolation::new("ip link set lo down") else { return };
    let (_world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    for action in ["usage", "help"] {
        let outcome = a.run(action).bare().as_nobody().ok().no_requests();
        for name in ["start", "stop", "monitor", "validate-all", "meta-data", "migrate_to", "reload-agent"] {
            assert!(outcome.stdout.contains(name), "{name} is missing\n{}", outcome.told());
        }
        assert_eq!(outcome.stderr, "");
    }
}

/// [call-3] [call-6] [code-10]
#[test]
fn what_is_not_understood_is_answered_by_usage_on_standard_error() {
    let Some(isolation) = Isolation::new("ip link set lo down") else { return };
    let (_world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    for action in ["", "restart", "Start", "--help", "-V", "start ", "\u{1f600}", "promote", "notify"] {
        let outcome = a.run(action).bare().expect(3).no_requests();
        assert!(outcome.stderr.contains("usage") && outcome.stderr.contains("start"), "{}", outcome.told());
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn the_name_that_it_is_called_by_decides_which_agent_it_is() {
    for kind in &KINDS {
        let nodes = kind.nodes();
        let run = |action| nodes.run(nodes.here.run(action));
        let usage = run("usage").ok().no_requests().stdout;
        assert!(usage.starts_with(&format!("usage: {} {{start|stop|monitor|", kind.name)), "{usage}");
        let meta = run("meta-data").ok().no_requests().stdout;
        assert!(meta.contains(&format!("<resource-agent name=\"{}\"", kind.name)), "{meta}");
        for other in &KINDS {
            assert_eq!(
                meta.contains(&format!("name=\"{}\"", other.address)),
                other.name == kind.name,
                "{meta}"
            );
        }
        // The name in the log if the cluster does not provide it.
        run("start").no_env("OCF_RESOURCE_TYPE").ok().logged(&[&format!("{}(vip)[", kind.name)]);
    }
}

/// [call-1]
#[test]
fn further_arguments_are_ignored() {
    let (world, [a]) = SimulatedWorld::new();
    a.start().arguments(&["now", "--force", "stop"]).ok();
    world.held_by(&a);
    a.settled_monitor().arguments(&["-h"]).ok();
    a.run("meta-data").arguments(&["--version"]).ok();
    a.stop().arguments(&["--", "start"]).ok();
    world.is_unassigned();
}

#[test]
fn a_reader_that_has_gone_away_is_no_reason_to_panic() {
    let (_world, [a]) = SimulatedWorld::new();
    // The shell's pipe has no reader by the time the agent writes.
    let script = "{ sleep 0.2; \"$0\" \"$@\"; echo $? >&2; } | true";
    let outcome = a.run("meta-data").wrapped_in(&["sh", "-c", script]).go();
    let code = outcome.stderr.trim();
    assert!(["0", "1", "141"].contains(&code), "{}", outcome.told());
}
