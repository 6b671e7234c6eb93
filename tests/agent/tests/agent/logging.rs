//! Log lines and exit reasons: their places and form, as with `ocf_log` and `ocf_exit_reason`.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use agent_tests::{Isolation, SimulatedWorld};

/// The rest of a line after a date such as `Nov 21 07:42:00 `.
fn after_date(line: &str) -> Option<&str> {
    let (date, rest) = (line.get(..16)?, line.get(16..)?);
    let form = "Aaa 00 00:00:00 ";
    let fits = date.chars().zip(form.chars()).all(|(found, wanted)| match wanted {
        'A' => found.is_ascii_uppercase(),
        'a' => found.is_ascii_lowercase(),
        '0' => found.is_ascii_digit(),
        other => found == other,
    });
    fits.then_some(rest)
}

/// The rest of a line after the tag `eip(vip)[PID]`.
fn after_tag(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("eip(vip)[")?;
    let (pid, rest) = rest.split_once(']')?;
    pid.bytes().all(|byte| byte.is_ascii_digit()).then_some(rest)
}

/// [start-11]
#[test]
fn a_change_of_holder_is_one_line() {
    let (_world, [a, b]) = SimulatedWorld::new();
    a.start().ok();
    let steps = [(b.start(), a.id(), b.id()), (b.stop(), b.id(), b.id())];
    for (run, from, to) in steps {
        let outcome = run.ok();
        let lines: Vec<&str> = outcome.log.lines().filter(|line| line.contains("203.0.113.10")).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let line = lines[0];
        for part in [" INFO: ", from.as_str(), to.as_str(), "eipassoc-", " ms"] {
            assert!(line.contains(part), "{part} is missing: {line}");
        }
    }
}

/// [call-2]
#[test]
fn what_changes_nothing_prints_nothing_under_the_cluster() {
    let (world, [a, b]) = SimulatedWorld::new();
    world.give(&b);
    a.probe().expect(7);
    for run in [a.probe(), a.stop(), a.run("validate-all"), b.settled_monitor()] {
        let outcome = run.go();
        assert_eq!(outcome.stderr, "", "{}", outcome.told());
        assert!(!outcome.log.contains("WARN") && !outcome.log.contains("ERROR"), "{}", outcome.told());
    }
}

/// [log-1]
#[test]
fn the_systems_log_gets_lines_by_facility_and_severity() {
    let dev = "mkdir $FOLDER/dev
        for name in null urandom; do
            touch $FOLDER/dev/$name
            mount --bind /dev/$name $FOLDER/dev/$name
        done
        mount --rbind $FOLDER/dev /dev";
    let Some(isolation) = Isolation::new(dev) else { return };
    let log = UnixDatagram::bind(isolation.folder().path().join("dev/log")).unwrap();
    log.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let receive = || {
        let mut bytes = [0; 4096];
        let length = log.recv(&mut bytes).expect("a line within five seconds");
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let (_world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let run = |run: agent_tests::Run| run.no_env("HA_LOGFILE").env("HA_LOGFACILITY", "local3");
    let outcome = run(a.start()).ok();
    assert_eq!(outcome.stderr, "");
    let line = receive();
    // 19 * 8 + 6: local3, informational.
    let rest = line.strip_prefix("<158>").and_then(after_date).and_then(after_tag);
    assert!(rest.is_some_and(|rest| rest.starts_with(": INFO: 203.0.113.10")), "{line:?}");
    run(a.start().param("interface", "eth99")).expect(2);
    let line = receive();
    assert!(line.starts_with("<155>") && line.contains(": ERROR: interface eth99"), "{line:?}");
    run(a.start()).env("HA_LOGFACILITY", "daemon").ok();
    let line = receive();
    assert!(line.starts_with("<30>"), "{line:?}");
}

/// [reason-2]
#[test]
fn the_whole_story_of_a_failure_is_in_the_log_with_the_id_of_the_request() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.deny("AssociateAddress");
    let debug = world.folder().path().join("debug");
    let run = a.start().env("HA_debug", "1").env("HA_DEBUGLOG", debug.display().to_string());
    let outcome = run.expect(4);
    let id = outcome.calls("AssociateAddress").last().unwrap().request_id.clone();
    let text = format!("{}{}", outcome.log, std::fs::read_to_string(&debug).unwrap_or_default());
    assert!(text.contains(&id), "{id} is nowhere in\n{text}");
    // Even without debugging: a support case can't wait for the next time.
    a.start().expect(4).logged(&["request id"]);
}
