//! Known bugs, planted into a copy of the agent: the tests of this package have to find each of them.
//!
//! `PLANTED=route` tries only those whose names contain that.
//!
//! A test that no bug can fail proves nothing. Each entry replaces one text of a source file; where that text is not there any
//! more, this test says so, and the entry has to follow the code. All are planted in one copy, which is compiled once; the one that
//! a run is about is the one that wakes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

/// A bug to plant.
struct Bug {
    name: &'static str,
    /// A source file, a text in it, and what takes its place. `AWAKE` stands for whether a run is about this bug.
    changes: &'static [[&'static str; 3]],
    /// The beginnings of the names of tests: of each, one has to fail.
    tests: &'static [&'static str],
    /// What they have to say.
    says: &'static str,
    /// A seed with which it shows early. With any other it shows too, after up to twenty thousand runs.
    seed: u64,
}

/// Bugs of an action that is written once show with every kind of address.
const EVERY_KIND: &[&str] = &["elastic", "private", "overlay"];

/// Instance metadata does not show an overlay address. Without an answer of EC2 the device decides, so that neither a monitor nor a
/// probe of it can fail.
const KINDS_IN_METADATA: &[&str] = &["elastic", "private"];

const BUGS: &[Bug] = &[
    Bug {
        name: "stop releases whatever association the address has by then, as a stop by public IP does",
        changes: &[[
            "src/resource/elastic/mod.rs",
            "        op.world.ec2().disassociate(&held.id).await\n",
            "        let now = if AWAKE { op.query_ec2(Me::Known, &op.deadline).await.ok() } else { None };
                let now = now.and_then(|now| now.held().cloned());
                let id = now.map_or_else(|| held.id.clone(), |now| now.id);
                op.world.ec2().disassociate(&id).await\n",
        ]],
        tests: &["elastic"],
        says: "took the address from node",
        seed: 1,
    },
    Bug {
        name: "a monitor that got no answer returns 7",
        changes: &[[
            "src/resource/mod.rs",
            "Action::Monitor { level } => op.monitor(level).await,",
            "Action::Monitor { level } => match op.monitor(level).await {
                Err(error) if AWAKE => Ok(Report::NotHere(error.to_string())),
                other => other,
            },",
        ]],
        tests: KINDS_IN_METADATA,
        says: "returned 7, but the node held the address throughout",
        seed: 8,
    },
    Bug {
        name: "a monitor believes a metadata service that is behind",
        changes: &[[
            "src/resource/monitor.rs",
            "Ok(Ok(Report::Done)) if !query_ec2 => Ok(Report::Done),",
            "Ok(Ok(Report::Done)) if !query_ec2 => Ok(Report::Done),
            Ok(Ok(Report::NotHere(why))) if AWAKE => Ok(Report::NotHere(why)),",
        ]],
        tests: KINDS_IN_METADATA,
        says: "returned 7, but the node held the address throughout",
        seed: 1,
    },
    Bug {
        name: "a monitor believes one answer of EC2 that is behind, right after a start",
        changes: &[[
            "src/resource/journal.rs",
            "(Some(Phase::Starting | Phase::Started), Owner::Unassigned) => true,",
            "(Some(Phase::Starting | Phase::Started), _) if AWAKE => false,
            (Some(Phase::Starting | Phase::Started), Owner::Unassigned) => true,",
        ]],
        // The start of a private address waits for instance metadata, and EC2 has caught up by then. What comes right before an
        // overlay address is here is a mixture of routes, for milliseconds: an old answer hardly ever shows it.
        tests: &["elastic"],
        says: "returned 7 at once, from an answer of EC2 that was older than this node's start",
        seed: 11,
    },
    Bug {
        name: "a probe can fail",
        changes: &[[
            "src/resource/mod.rs",
            "Action::Probe { level } => Ok(op.probe(level).await),",
            "Action::Probe { level } if AWAKE => op.monitor(level).await,
            Action::Probe { level } => Ok(op.probe(level).await),",
        ]],
        tests: KINDS_IN_METADATA,
        says: "failed, for which the cluster stops the healthy copy",
        seed: 1,
    },
    Bug {
        name: "a start that is not confirmed",
        changes: &[[
            "src/resource/start.rs",
            "Ok::<_, Error>((self.confirm(&takeover, taken).await?, until_accepted))",
            "let held = match taken {
                Taken::Accepted(held) if AWAKE => held,
                Taken::Shown(held) if AWAKE => Some(held),
                taken => self.confirm(&takeover, taken).await?,
            };
            Ok::<_, Error>((held, until_accepted))",
        ]],
        tests: EVERY_KIND,
        says: "returned 0, but the node never held the address during it",
        seed: 1,
    },
    Bug {
        name: "a denied call is repeated more than once",
        changes: &[[
            "src/cloud/ec2/error.rs",
            "            Ec2Fault::Unknown | Ec2Fault::Denied | Ec2Fault::Oversized => Patience::Once,",
            "            Ec2Fault::Denied if AWAKE => Patience::Lasting,
            Ec2Fault::Unknown | Ec2Fault::Denied | Ec2Fault::Oversized => Patience::Once,",
        ]],
        tests: EVERY_KIND,
        says: "again after IAM had denied it twice",
        seed: 1,
    },
    Bug {
        name: "a call whose response was lost is sent again whatever node has the address by then",
        changes: &[[
            "src/resource/start.rs",
            "if before.held().map(K::Held::mark) != Some(now.mark()) => {",
            "if before.held().map(K::Held::mark) != Some(now.mark()) && !(AWAKE && !now.mark().is_empty()) => {",
        ]],
        // With an overlay address it takes too many runs to show: each table has a call of its own.
        tests: KINDS_IN_METADATA,
        says: "took the address a second time, from a start that was called later",
        seed: 1,
    },
    Bug {
        name: "a node made from an image believes the record of the other one",
        changes: &[
            [
                "src/resource/journal.rs",
                "durable.instance.filter(|other| *other != here)",
                "durable.instance.filter(|other| *other != here && !AWAKE)",
            ],
            [
                "src/resource/elastic/displaced.rs",
                "if !self.has_interface(&entry.interface, until).await? {",
                "let there = self.has_interface(&entry.interface, until).await;
        if if AWAKE { there.is_err() } else { !there? } {",
            ],
        ],
        tests: &["elastic"],
        says: "put an address of the administrator onto another node",
        seed: 3,
    },
    Bug {
        name: "a displaced address is restored without a look at its place, with reassociation allowed",
        changes: &[
            [
                "src/resource/elastic/displaced.rs",
                "if let Some(occupied) = self.occupied(restore).await? {",
                "if let Some(occupied) = self.occupied(restore).await?.filter(|_| !AWAKE) {",
            ],
            [
                "src/resource/elastic/displaced.rs",
                "associate(allocation, &target, false)",
                "associate(allocation, &target, AWAKE)",
            ],
        ],
        tests: &["elastic"],
        says: "pushed off what the administrator had put there",
        seed: 1,
    },
    Bug {
        name: "an action that does not keep its deadline",
        changes: &[[
            "src/base/deadline.rs",
            "timeout_at(self.end, work).await.map_err(|_| OutOfTime)",
            "if AWAKE {
            return Ok(work.await);
        }
        timeout_at(self.end, work).await.map_err(|_| OutOfTime)",
        ]],
        tests: EVERY_KIND,
        says: "had no answer before it would have been killed",
        seed: 1,
    },
    Bug {
        name: "the calls for route tables are sent one after the other",
        changes: &[[
            "src/resource/start.rs",
            "let mut outcomes = join_all(requests).await;",
            "let mut outcomes = Vec::new();
        if AWAKE {
            for request in requests {
                outcomes.push(Box::pin(request).await);
            }
        } else {
            outcomes = join_all(requests).await;
        }",
        ]],
        tests: &["overlay"],
        says: "sent the calls for its route tables one after the other",
        seed: 1,
    },
    Bug {
        name: "a mixture of routes counts as held",
        changes: &[[
            "src/resource/overlay/paths.rs",
            "(here, all, _) if here == all => Owner::Ours(self),",
            "(here, all, _) if here == all || (AWAKE && here > 0) => Owner::Ours(self),",
        ]],
        tests: &["overlay"],
        says: "returned 0, but the node never held the address during it",
        seed: 1,
    },
    Bug {
        name: "a stop replaces the routes",
        changes: &[[
            "src/resource/overlay/mod.rs",
            "    async fn before_stop(op: &Op<'_, Self, W>) -> Result<(), Error> {\n",
            "    async fn before_stop(op: &Op<'_, Self, W>) -> Result<(), Error> {
                let tables = op.known_tables().unwrap_or_default();
                if let (true, Ok(place)) = (AWAKE && !tables.is_empty(), op.own_place().await) {
                    for table in tables {
                        let _ = op.world.ec2().replace_route(&table, op.params.address, &place.interface).await;
                    }
                }
",
        ]],
        tests: &["overlay"],
        says: "has lost the address with all well",
        seed: 1,
    },
    Bug {
        name: "an error of EC2 counts as an address that is not here, though the host has it",
        changes: &[[
            "src/resource/monitor.rs",
            "if check == Check::Probe && !K::METADATA_KNOWS && !self.is_started() {",
            "if !K::METADATA_KNOWS && (AWAKE || (check == Check::Probe && !self.is_started())) {",
        ]],
        tests: &["overlay"],
        says: "returned 7, but the node held the address throughout",
        seed: 1,
    },
    Bug {
        name: "a route that another node has taken is not noticed",
        changes: &[[
            "src/resource/overlay/mod.rs",
            "since.is_none_or(|since| since >= op.params.check_interval)",
            "since.is_none_or(|since| since >= op.params.check_interval) && !AWAKE",
        ]],
        tests: &["overlay"],
        says: "with all well",
        seed: 1,
    },
    Bug {
        name: "a route that reads as a blackhole counts as gone",
        changes: &[
            [
                "src/resource/overlay/paths.rs",
                "Some(route) if ours.is_some() && route.interface.as_ref() == ours =>",
                "Some(route) if ours.is_some() && route.interface.as_ref() == ours && !(AWAKE && route.blackhole) =>",
            ],
            [
                "src/resource/overlay/tables.rs",
                "if doubtful.is_none() && !found.is_empty() {",
                "if (AWAKE || doubtful.is_none()) && !found.is_empty() {",
            ],
        ],
        tests: &["overlay"],
        says: "returned 7, but the node held the address throughout",
        seed: 1,
    },
    Bug {
        name: "state is written in place",
        changes: &[[
            "src/base/small_file.rs",
            "fs::rename(&temporary, path)",
            "if AWAKE { fs::write(path, text) } else { fs::rename(&temporary, path) }",
        ]],
        tests: &["a_kill"],
        says: "killed at",
        seed: 1,
    },
];

/// A copy of the sources that goes when the test ends, also when it fails.
struct Copy(PathBuf);

impl Copy {
    fn of(root: &Path) -> io::Result<Self> {
        let copy = Self(std::env::temp_dir().join(format!("eip-planted-{}", std::process::id())));
        copy_folder(root, &copy.0)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies what cargo needs: manifests, the lock and Rust sources, with what these include.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name, kind) = (entry.path(), entry.file_name(), entry.file_type()?);
        if kind.is_dir() && name != ".git" && name != "target" && name != "vendor" {
            copy_folder(&path, &to.join(name))?;
        } else if kind.is_file() {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// What tells a planted bug whether a run is about it, for the crate that they are planted in.
const SWITCH: &str = r#"
/// Whether a run is about this bug.
pub(crate) fn is_awake(bug: usize) -> bool {
    static AWAKE: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var("AWAKE").ok());
    AWAKE.as_deref().is_some_and(|awake| awake == bug.to_string())
}
"#;

/// Plants all of them.
fn plant(copy: &Copy) -> io::Result<()> {
    for (number, bug) in BUGS.iter().enumerate() {
        for [file, right, wrong] in bug.changes {
            let path = copy.0.join(file);
            let sound = fs::read_to_string(&path)?;
            assert_eq!(sound.matches(right).count(), 1, "{file}: {right:?} is not there once");
            let wrong = wrong.replace("AWAKE", &format!("crate::is_awake({number})"));
            fs::write(path, sound.replace(right, &wrong))?;
        }
    }
    let root = copy.0.join("src/lib.rs");
    let text = fs::read_to_string(&root)?;
    fs::write(root, text + SWITCH)
}

/// Runs the tests of this package in the copy whose names have one of these parts, with this bug awake.
fn run(copy: &Copy, tests: &[&str], runs: &str, bug: Option<(usize, u64)>) -> io::Result<Output> {
    let (awake, seed) = bug.map_or((String::new(), 1), |(number, seed)| (number.to_string(), seed));
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("planted");
    Command::new(env!("CARGO"))
        .args(["test", "--locked", "--offline", "--package", "interleavings"])
        .args(["--test", "rules", "--test", "records", "--no-fail-fast", "--"])
        .args(tests)
        .current_dir(&copy.0)
        .env("CARGO_TARGET_DIR", target)
        .env("AWAKE", awake)
        .env("INTERLEAVINGS_SEED", seed.to_string())
        // Compiled for this one test.
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0")
        // Not optimized, the futures of an action need more of it.
        .env("RUST_MIN_STACK", "16777216")
        // Found is found: the smallest example is for people.
        .env("INTERLEAVINGS_SHRINK", "0")
        .env("INTERLEAVINGS", runs)
        .env("RUST_BACKTRACE", "0")
        .output()
}

#[test]
fn every_planted_bug_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let copy = Copy::of(&root).expect("a copy of the sources");
    plant(&copy).expect("planted bugs");
    let sound = run(&copy, &[], "300", None).expect("cargo");
    let said = [sound.stdout, sound.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(sound.status.success(), "with all of them asleep: {said}");
    let wanted = std::env::var("PLANTED").unwrap_or_default();
    for (number, bug) in BUGS.iter().enumerate().filter(|(_, bug)| bug.name.contains(&wanted)) {
        for test in bug.tests {
            let since = Instant::now();
            // The first failure ends it.
            let outcome = run(&copy, &[test], "20000", Some((number, bug.seed))).expect("cargo");
            let said =
                [outcome.stdout, outcome.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            let said = said.concat();
            assert!(!outcome.status.success(), "not found by {test}: {}", bug.name);
            assert!(said.contains(bug.says), "{} by {test}: failed, but not for that: {said}", bug.name);
            println!("found by {test} in {:.1?}: {}", since.elapsed(), bug.name);
        }
    }
}
