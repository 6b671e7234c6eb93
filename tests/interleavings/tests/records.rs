//! A record survives a kill at any instant: the process that writes it is killed at each of its system calls in turn.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use eip::state::Durable;

/// The system calls that touch files.
const TRACED: &str = "trace=%file,%desc";

/// A folder that goes when the test ends, also when it fails.
struct RecordsFolder(PathBuf);

impl RecordsFolder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("eip-records-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Drop for RecordsFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn strace(folder: &Path, options: &[&str]) {
    let status = Command::new("strace")
        .args(["-qq", "-o", &folder.join("trace").display().to_string(), "-e", TRACED])
        .args(options)
        .arg(env!("CARGO_BIN_EXE_writer"))
        .env("EIP_STATE_DIR", folder.join("state"))
        .status();
    status
        .unwrap_or_else(|error| panic!("strace is needed for this test (`make deps` installs it): {error}"));
}

/// Returns the record's text; nothing where there is none yet.
fn text(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join("state/durable/default.json")).ok()
}

/// [record-1]
#[test]
fn a_kill_at_any_system_call_leaves_a_complete_record() {
    let whole = RecordsFolder::new("whole");
    strace(&whole.0, &[]);
    let last = text(&whole.0).expect("the record");
    let trace = fs::read_to_string(whole.0.join("trace")).expect("the trace");
    // By name and number, because strace counts each call by itself; those before the first state folder are the loader's.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut points = Vec::new();
    let mut begun = false;
    for name in trace.lines().filter_map(|line| Some((line, line.split_once('(')?.0))) {
        let (line, name) = name;
        let count = counts.entry(name).or_default();
        *count += 1;
        begun |= line.contains("/state");
        if begun {
            points.push((name, *count));
        }
    }
    assert!(points.len() > 20, "too few system calls seen: {trace}");

    let (mut without, mut versions) = (0, BTreeMap::new());
    for (name, count) in &points {
        let folder = RecordsFolder::new(&format!("{name}-{count}"));
        strace(&folder.0, &["-e", &format!("inject={name}:signal=SIGKILL:when={count}")]);
        let Some(text) = text(&folder.0) else {
            without += 1;
            continue;
        };
        let record: Durable = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("killed at {name} {count}: {error}: {text:?}"));
        assert!((1..=3).contains(&record.history.len()), "killed at {name} {count}: {text}");
        *versions.entry(record.history.len()).or_insert(0) += 1;
    }
    println!("{} kills: no record yet after {without}, versions {versions:?}", points.len());
    assert!(without > 0 && versions.len() > 1, "the kills did not spread over the writes: {versions:?}");
    assert!(last.contains("\"took_ms\": 3"), "{last}");
    // Without that a power cut may bring the old record back.
    let (_, renamed) = trace.rsplit_once("durable/default.json\")").expect("a rename");
    assert!(renamed.contains("fsync("), "the folder is not synced after the rename: {trace}");
}
