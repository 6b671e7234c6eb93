//! Log lines and exit reasons, where and how `ocf_log` and `ocf_exit_reason` have them.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use agent_tests::{Isolation, World};
use aws_sim::FaultKind;

use crate::trouble::{SHORT_MS, break_ec2};

/// Returns what is left of a line after a date such as `Nov 21 07:42:00 `.
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

/// Returns what is left of a line after the tag `eip(vip)[PID]`.
fn after_tag(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("eip(vip)[")?;
    let (pid, rest) = rest.split_once(']')?;
    pid.bytes().all(|byte| byte.is_ascii_digit()).then_some(rest)
}

/// [log-1]
#[test]
fn lines_of_the_log_file_have_the_usual_form() {
    let (_world, [a]) = World::new();
    let outcome = a.start().ok();
    assert!(!outcome.log.is_empty());
    for line in outcome.log.lines() {
        // The shell functions write two spaces after the date: one of `HA_DATEFMT`, one of their own.
        let rest = after_date(line).and_then(|rest| rest.strip_prefix(' ')).and_then(after_tag);
        assert!(rest.is_some_and(|rest| rest.starts_with(":    INFO: ")), "{line:?}");
    }
    assert_eq!(outcome.stderr, "");
}

#[test]
fn the_form_of_dates_and_the_tag_can_be_set() {
    let (_world, [a]) = World::new();
    let outcome = a.start().env("HA_DATEFMT", "%Y/%m/%d ").env("HA_LOGTAG", "mine").ok();
    let line = outcome.log.lines().next().unwrap();
    assert!(line.as_bytes()[4] == b'/' && line.contains(" mine:    INFO: "), "{line}");
}

/// [start-11]
#[test]
fn a_change_of_holder_is_one_line() {
    let (_world, [a, b]) = World::new();
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
fn what_changes_nothing_says_nothing_under_the_cluster() {
    let (world, [a, b]) = World::new();
    world.give(&b);
    a.probe().expect(7);
    for run in [a.probe(), a.stop(), a.run("validate-all"), b.settled_monitor()] {
        let outcome = run.go();
        assert_eq!(outcome.stderr, "", "{}", outcome.told());
        assert!(!outcome.log.contains("WARN") && !outcome.log.contains("ERROR"), "{}", outcome.told());
    }
}

/// [reason-1]
#[test]
fn a_reason_is_on_standard_error_and_in_the_log() {
    let (_world, [a]) = World::new();
    let outcome = a.start().param("interface", "eth99").expect(2);
    let reason = outcome.reasons()[0].to_owned();
    let line = outcome.log.lines().find(|line| line.contains(" ERROR: "));
    assert!(line.is_some_and(|line| line.contains(&reason)), "{}", outcome.told());
}

/// [reason-1]
#[test]
fn the_prefix_of_reasons_is_the_clusters() {
    let (_world, [a]) = World::new();
    let run = || a.start().param("interface", "eth99");
    let outcome = run().env("OCF_EXIT_REASON_PREFIX", "because: ").expect(2);
    assert!(outcome.stderr.starts_with("because: interface eth99"), "{}", outcome.told());
    for outcome in
        [run().env("OCF_EXIT_REASON_PREFIX", "").expect(2), run().no_env("OCF_EXIT_REASON_PREFIX").expect(2)]
    {
        assert!(outcome.stderr.starts_with("ocf-exit-reason:interface eth99"), "{}", outcome.told());
    }
}

/// [log-1]
#[test]
fn without_facility_and_file_lines_go_to_standard_error() {
    let (_world, [a]) = World::new();
    let outcome = a.start().no_env("HA_LOGFILE").ok();
    let line = outcome.stderr.lines().next().unwrap();
    assert!(after_date(line).is_some_and(|rest| rest.starts_with("INFO: 203.0.113.10")), "{line:?}");
    for run in [a.settled_monitor(), a.run("validate-all"), a.run("meta-data")] {
        assert_eq!(run.no_env("HA_LOGFILE").ok().stderr, "", "nothing to say");
    }
    // The facility "none" is no facility; the word of crm_resource has another case.
    let outcome =
        a.stop().no_env("HA_LOGFILE").env("HA_LOGFACILITY", "none").env("HA_logfacility", "daemon").ok();
    assert!(outcome.stderr.contains("INFO: "), "{}", outcome.told());
}

#[test]
fn debugging_has_its_own_file() {
    let (world, [a]) = World::new();
    let debug = world.folder().path().join("debug");
    let run =
        |on: &str| a.run("migrate_to").env("HA_debug", on).env("HA_DEBUGLOG", debug.display().to_string());
    run("0").expect(1).not_logged("DEBUG");
    let quiet = std::fs::read_to_string(&debug).unwrap_or_default();
    assert!(!quiet.contains("DEBUG"), "{quiet}");
    run("1").expect(1).not_logged("DEBUG");
    let text = std::fs::read_to_string(&debug).unwrap();
    for line in text.lines() {
        let rest = after_tag(line).and_then(|rest| rest.strip_prefix(":\t")).and_then(after_date);
        assert!(rest.is_some(), "{line:?}");
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
    let (_world, [a]) = World::setup().inside(isolation).make();
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

#[test]
fn a_systems_log_that_is_away_or_full_holds_nothing_up() {
    let (_world, [a]) = World::new();
    a.start().env("HA_LOGFACILITY", "daemon").ok();
    let Some(isolation) = Isolation::new(
        "mount -t tmpfs tmpfs /dev; mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/urandom c 1 9",
    ) else {
        return;
    };
    let (world, [a]) = World::setup().inside(isolation).make();
    let path = world.isolation().unwrap().outside("/dev/log");
    // Bound and never read: its queue is full after a few lines.
    let _log = UnixDatagram::bind(&path).unwrap();
    for _ in 0..20 {
        a.start().env("HA_LOGFACILITY", "daemon").ok();
        a.stop().env("HA_LOGFACILITY", "daemon").ok();
    }
}

/// [reason-2]
#[test]
fn the_whole_story_of_a_failure_is_in_the_log_with_the_id_of_the_request() {
    let (world, [a]) = World::new();
    world.cloud.deny("AssociateAddress");
    let debug = world.folder().path().join("debug");
    let run = a.start().env("HA_debug", "1").env("HA_DEBUGLOG", debug.display().to_string());
    let outcome = run.expect(4);
    let id = outcome.calls("AssociateAddress").last().unwrap().request_id.clone();
    let text = format!("{}{}", outcome.log, std::fs::read_to_string(&debug).unwrap_or_default());
    assert!(text.contains(&id), "{id} is nowhere in\n{text}");
    // Also without debugging: a support case can't wait for the next time.
    a.start().expect(4).logged(&["request id"]);
}

#[test]
fn an_outage_at_stop_is_an_error_in_the_log_though_the_stop_succeeds() {
    let (world, [a]) = World::new();
    a.start().ok();
    break_ec2(&world.cloud, FaultKind::Reset);
    a.stop().timeout_ms(SHORT_MS).ok().logged(&["ERROR", "203.0.113.10"]);
}
