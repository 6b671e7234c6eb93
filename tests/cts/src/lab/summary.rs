//! What cts-lab says about its tests, and whether that is good. Pure.

/// Lines that CTS takes for bad news, and why they are none here.
const NOISE: [(&str, &str); 1] = [
    // The audits ask each node for each resource; the answer of a node without it is this exit line.
    ("cts-exec-helper", "CRM_EX_ERROR"),
];

/// The figures of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Whether the run came to its end.
    completed: bool,
    /// Each test, with its calls, failures, skips and failed audits.
    tests: Vec<(String, Figures)>,
    /// Lines of the nodes' logs that CTS takes for bad news.
    bad_news: Vec<String>,
    /// What tests and audits complained about, in CTS's words.
    complaints: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Figures {
    calls: usize,
    failure: usize,
    skipped: usize,
    auditfail: usize,
}

impl Summary {
    /// Reads cts-lab's log.
    #[must_use]
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

/// Reads `Flip  {'calls': 2, 'failure': 0, 'skipped': 0, 'auditfail': 0}`.
fn figures(test: &str) -> Option<(String, Figures)> {
    let (name, rest) = test.split_once('{')?;
    let figure = |name: &str| {
        let (_, rest) = rest.split_once(&format!("'{name}': "))?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let figures = Figures {
        calls: figure("calls")?,
        failure: figure("failure")?,
        skipped: figure("skipped")?,
        auditfail: figure("auditfail")?,
    };
    Some((name.trim().to_owned(), figures))
}

/// Returns what is wrong with a run of these tests, a line each.
#[must_use]
pub fn flaws(summary: &Summary, tests: &[String]) -> Vec<String> {
    let mut flaws = Vec::new();
    if !summary.completed {
        flaws.push("cts-lab did not come to its end".to_owned());
    }
    let mut names: Vec<&String> = tests.iter().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let wanted = tests.iter().filter(|test| *test == name).count();
        // A test that is chosen twice is in the summary once, with the sum of its objects.
        let of_this = summary.tests.iter().find(|(test, _)| test == name).map(|(_, figures)| *figures);
        let figures = of_this.unwrap_or_default();
        if figures != (Figures { calls: wanted, ..Figures::default() }) {
            flaws.push(format!("{name}, wanted {wanted} times: {figures:?}"));
        }
    }
    flaws.extend(summary.complaints.iter().cloned());
    let noise = |line: &&String| NOISE.iter().any(|(one, other)| line.contains(one) && line.contains(other));
    flaws.extend(summary.bad_news.iter().filter(|line| !noise(line)).map(|line| format!("bad news: {line}")));
    flaws
}
