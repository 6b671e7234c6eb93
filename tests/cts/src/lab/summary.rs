//! Parses cts-lab's summary of its tests, and decides whether it passed. Pure.

/// Lines that CTS reports as bad news, and why they are harmless here.
const NOISE: [(&str, &str); 2] = [
    // CTS looks for "ERROR:", which is in the name of an exit code: a program logs its own end at level info. The helper of its audits ends this
    // way on each node without the resource, as do daemons whose peer was killed.
    ("(crm_exit)", "info: Exiting"),
    // A killed daemon is gone while pacemakerd looks up its program.
    ("(pcmk__pid_active)", "Could not get executable for PID"),
];

/// Tests that skip themselves if what they draw is already the case, or has no resource; at least one of their runs must not.
const DRAWN: [&str; 2] = ["NearQuorumPoint", "ResourceRecover"];

/// The figures of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LabSummary {
    /// True if the run came to its end.
    completed: bool,
    /// Each test, with its calls, failures, skips and failed audits.
    tests: Vec<(String, TestCounts)>,
    /// Lines of the nodes' logs that CTS reports as bad news.
    bad_news: Vec<String>,
    /// Complaints of tests and audits, in CTS's words.
    complaints: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct TestCounts {
    calls: usize,
    failure: usize,
    skipped: usize,
    auditfail: usize,
}

impl LabSummary {
    /// Parses cts-lab's log.
    pub fn parse(log: &str) -> Self {
        let mut summary = Self::default();
        // "Nov 29 01:07:14\texerciser BadNews: ..."
        let said =
            log.lines().filter_map(|line| line.split_once('\t')?.1.split_once(' ').map(|(_, said)| said));
        for line in said.filter(|line| !line.starts_with("debug: ")) {
            summary.completed |= line.contains("<<<<<<<<<<<<<<<< TESTS COMPLETED");
            if let Some(news) = line.strip_prefix("BadNews: ") {
                summary.bad_news.push(news.to_owned());
            } else if line.contains("FAILED") || line.starts_with("Warning: ") {
                summary.complaints.push(line.to_owned());
            } else if let Some(test) = line.strip_prefix("Test ") {
                summary.tests.extend(figures(test));
            }
        }
        summary
    }
}

/// Parses `Flip  {'calls': 2, 'failure': 0, 'skipped': 0, 'auditfail': 0}`.
fn figures(test: &str) -> Option<(String, TestCounts)> {
    let (name, rest) = test.split_once('{')?;
    let figure = |name: &str| {
        let (_, rest) = rest.split_once(&format!("'{name}': "))?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let figures = TestCounts {
        calls: figure("calls")?,
        failure: figure("failure")?,
        skipped: figure("skipped")?,
        auditfail: figure("auditfail")?,
    };
    Some((name.trim().to_owned(), figures))
}

/// The flaws of a run of these tests, one line each.
pub fn flaws(summary: &LabSummary, tests: &[String]) -> Vec<String> {
    let mut flaws = Vec::new();
    if !summary.completed {
        flaws.push("cts-lab did not come to its end".to_owned());
    }
    let mut names: Vec<&String> = tests.iter().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let wanted = tests.iter().filter(|test| *test == name).count();
        // A test that is chosen twice is in the summary once, with the total of both.
        let of_this = summary.tests.iter().find(|(test, _)| test == name).map(|(_, figures)| *figures);
        let mut figures = of_this.unwrap_or_default();
        if DRAWN.contains(&name.as_str()) && figures.skipped < wanted {
            figures.skipped = 0;
        }
        if figures != (TestCounts { calls: wanted, ..TestCounts::default() }) {
            flaws.push(format!("{name}, wanted {wanted} times: {figures:?}"));
        }
    }
    flaws.extend(summary.complaints.iter().filter(|line| !stale(line, summary, tests)).cloned());
    let noise = |line: &&String| NOISE.iter().any(|(one, other)| line.contains(one) && line.contains(other));
    flaws.extend(summary.bad_news.iter().filter(|line| !noise(line)).map(|line| format!("bad news: {line}")));
    flaws
}

/// True if a complaint is only about shared memory of killed daemons: libqb leaves it behind, and `FileAudit` finds it at the node's next
/// stop.
fn stale(complaint: &str, summary: &LabSummary, tests: &[String]) -> bool {
    let core = summary.complaints.iter().any(|line| line.starts_with("Warning: core file"));
    let of_files = complaint.starts_with("Warning: Stale IPC file") || complaint == "Audit FileAudit FAILED.";
    of_files && !core && tests.iter().any(|test| test == "ComponentFail")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from cts-lab of Pacemaker 3.0.3.
    const LOG: &str = "Nov 29 01:46:13\texerciser bad partition details for n1
Nov 29 01:46:14\texerciser debug: cmd: stdout: FAILED
Nov 29 01:46:33\texerciser Running test Flip                   (n1)            [  1]
Nov 29 01:47:38\texerciser Overall Results:{'success': 2, 'failure': 0, 'BadNews': 0, 'skipped': 0}
Nov 29 01:47:38\texerciser Test Flip                 {'calls': 1, 'failure': 0, 'skipped': 0, 'auditfail': 0}
Nov 29 01:47:38\texerciser Test Restart              {'calls': 1, 'failure': 0, 'skipped': 0, 'auditfail': 0}
Nov 29 01:47:38\texerciser <<<<<<<<<<<<<<<< TESTS COMPLETED
";

    fn flaws_of(log: &str, tests: &[&str]) -> Vec<String> {
        let tests: Vec<String> = tests.iter().map(ToString::to_string).collect();
        flaws(&LabSummary::parse(log), &tests)
    }

    #[test]
    fn a_run_in_which_every_test_was_called_and_passed_is_good() {
        assert_eq!(flaws_of(LOG, &["Flip", "Restart"]), [""; 0]);
    }

    #[test]
    fn a_test_that_was_skipped_failed_or_not_called_is_a_flaw() {
        for (flaw, log) in [
            ("skipped: 1", LOG.replacen("'skipped': 0, 'auditfail'", "'skipped': 1, 'auditfail'", 1)),
            (
                "failure: 1",
                LOG.replacen("'failure': 0, 'skipped': 0, 'a", "'failure': 1, 'skipped': 0, 'a", 1),
            ),
            ("auditfail: 1", LOG.replacen("'auditfail': 0", "'auditfail': 1", 1)),
            ("calls: 0", LOG.replacen("'calls': 1", "'calls': 0", 1)),
        ] {
            let found = flaws_of(&log, &["Flip", "Restart"]);
            assert!(
                found.len() == 1 && found[0].starts_with("Flip") && found[0].contains(flaw),
                "{flaw}: {found:?}"
            );
        }
        assert_eq!(flaws_of(LOG, &["Flip", "Restart", "Standby"]).len(), 1, "not in the summary");
        for (skipped, flaws) in [(1, 0), (2, 1)] {
            let near = format!(
                "Test NearQuorumPoint {{'calls': 2, 'failure': 0, 'skipped': {skipped}, 'auditfail': 0}}"
            );
            let log = LOG.replace("Test Flip  ", &format!("{near}\nNov 29 01:47:38\texerciser Test Flip  "));
            let found = flaws_of(&log, &["NearQuorumPoint", "NearQuorumPoint", "Flip", "Restart"]);
            assert_eq!(found.len(), flaws, "{found:?}");
        }
        assert_eq!(flaws_of(LOG, &["Flip", "Flip", "Restart"]).len(), 1, "once instead of twice");
    }

    #[test]
    fn a_run_that_broke_off_is_a_flaw() {
        let (broken, _) = LOG.split_once("Nov 29 01:47:38\texerciser <").unwrap();
        assert_eq!(flaws_of(broken, &["Flip", "Restart"]), ["cts-lab did not come to its end"]);
    }

    #[test]
    fn bad_news_and_failed_audits_are_flaws_and_lines_about_an_exit_are_not() {
        let line = |text: &str| format!("Nov 29 01:47:00\texerciser {text}\n{LOG}");
        let bad = line(
            "BadNews: Nov 29 01:46:50 n1 pacemaker-controld  [71] (log_executor_event) \terror: Result of stop",
        );
        assert_eq!(flaws_of(&bad, &["Flip", "Restart"]).len(), 1);
        let audit = line("Audit CibAudit FAILED.");
        assert_eq!(flaws_of(&audit, &["Flip", "Restart"]), ["Audit CibAudit FAILED."]);
        let own = line(
            "BadNews: Nov 29 01:46:50 n2 pacemaker-controld  [189] (crm_exit) \tinfo: Exiting pacemaker-controld | with status 1 (CRM_EX_ERROR: Error occurred)",
        );
        assert_eq!(flaws_of(&own, &["Flip", "Restart"]), [""; 0]);
    }

    #[test]
    fn shared_memory_of_killed_daemons_is_no_flaw_and_a_core_file_is() {
        let log = LOG.replace("Test Flip", "Test ComponentFail");
        let stale = "Nov 29 01:58:31\texerciser Warning: Stale IPC file on n2: drwxrwx--- 2 hacluster haclient 40 qb-184-185-8-EpP5SO
Nov 29 01:58:31\texerciser Audit FileAudit FAILED.\n";
        let (killed, stopped) = (["ComponentFail", "Restart"], ["Flip", "Restart"]);
        assert_eq!(flaws_of(&format!("{stale}{log}"), &killed), [""; 0]);
        assert_eq!(flaws_of(&format!("{stale}{LOG}"), &stopped).len(), 2, "nothing was killed");
        let core = "Nov 29 01:58:31\texerciser Warning: core file on n2: core.184\n";
        assert_eq!(flaws_of(&format!("{core}{stale}{log}"), &killed).len(), 3);
    }
}
