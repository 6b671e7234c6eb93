//! Known bugs, planted one by one into a copy of the agent: the tests of this package have to find each of them.
//!
//! `PLANTED=route` plants only those whose names contain that.
//!
//! A test that no bug can fail proves nothing. Each entry replaces one text of a source file; where that text is not there any
//! more, this test says so, and the entry has to follow the code.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A bug to plant.
struct Bug {
    name: &'static str,
    /// A source file, a text in it, and what takes its place.
    changes: &'static [[&'static str; 3]],
    /// The beginnings of the names of tests: of each, one has to fail.
    tests: &'static [&'static str],
    /// What they have to say.
    says: &'static str,
}

/// Bugs of an action that is written once show with every kind of address.
const EVERY_KIND: &[&str] = &["elastic", "private"];

const BUGS: &[Bug] = &[
    Bug {
        name: "stop lets go of whatever association the address has by then, as a stop by public IP does",
        changes: &[[
            "src/resource/elastic/mod.rs",
            "        op.world.ec2().disassociate(&held.id).await\n",
            "        let now = op.ask(Me::Known, &op.deadline).await.ok().and_then(|now| now.held().cloned());
                let id = now.map_or_else(|| held.id.clone(), |now| now.id);
                op.world.ec2().disassociate(&id).await\n",
        ]],
        tests: &["elastic"],
        says: "took the address from node",
    },
    Bug {
        name: "a monitor that got no answer says 7",
        changes: &[[
            "src/resource/mod.rs",
            "Action::Monitor { level } => op.monitor(level).await,",
            "Action::Monitor { level } => {
                op.monitor(level).await.or_else(|error| Ok(Report::NotHere(error.to_string())))
            }",
        ]],
        tests: EVERY_KIND,
        says: "said 7, and the node held the address all the time",
    },
    Bug {
        name: "a monitor believes a metadata service that is behind",
        changes: &[[
            "src/resource/monitor.rs",
            "Ok(Ok(Seen::Here)) if !ask_ec2 => Ok(Report::Done),",
            "Ok(Ok(Seen::Here)) if !ask_ec2 => Ok(Report::Done),
            Ok(Ok(Seen::NotHere(why))) => Ok(Report::NotHere(why)),",
        ]],
        tests: EVERY_KIND,
        says: "said 7, and the node held the address all the time",
    },
    Bug {
        name: "a monitor believes one answer of EC2 that is behind, right after a start",
        changes: &[[
            "src/resource/journal.rs",
            "(Some(Phase::Starting | Phase::Started), Owner::Unassigned) => true,",
            "(Some(Phase::Starting | Phase::Started), _) => false,",
        ]],
        // The start of a private address waits for instance metadata, and EC2 has caught up by then.
        tests: &["elastic"],
        says: "said 7 at once, by an answer of EC2 from before this node's start",
    },
    Bug {
        name: "a probe can fail",
        changes: &[[
            "src/resource/mod.rs",
            "Action::Probe { level } => Ok(op.probe(level).await),",
            "Action::Probe { level } => op.monitor(level).await,",
        ]],
        tests: EVERY_KIND,
        says: "failed, for which the cluster stops the healthy copy",
    },
    Bug {
        name: "a start that is not confirmed",
        changes: &[[
            "src/resource/start.rs",
            "Ok::<_, Error>((self.confirm(&takeover, taken).await?, ordered))",
            "let held = match taken {
                Taken::Accepted(held) => held,
                Taken::Shown(held) => Some(held),
            };
            Ok::<_, Error>((held, ordered))",
        ]],
        tests: EVERY_KIND,
        says: "said 0, and at no instant of it did the node hold the address",
    },
    Bug {
        name: "a denied call is repeated more than once",
        changes: &[[
            "src/cloud/ec2/error.rs",
            "            Ec2Fault::Unknown | Ec2Fault::Denied => Patience::Once,",
            "            Ec2Fault::Unknown => Patience::Once,
            Ec2Fault::Denied => Patience::Lasting,",
        ]],
        tests: EVERY_KIND,
        says: "again after IAM had denied it twice",
    },
    Bug {
        name: "an order whose answer was lost is sent again whoever has the address by then",
        changes: &[[
            "src/resource/start.rs",
            "if before.held().map(K::Held::mark) != Some(now.mark()) => {",
            "if before.held().map(K::Held::mark) != Some(now.mark()) && now.mark().is_empty() => {",
        ]],
        tests: &["elastic"],
        says: "took the address a second time, from a start that was called later",
    },
    Bug {
        name: "a node made from an image believes the record of the other one",
        changes: &[
            [
                "src/resource/journal.rs",
                "durable.instance.filter(|other| *other != here)",
                "durable.instance.filter(|_| false)",
            ],
            [
                "src/resource/elastic/displaced.rs",
                "if !self.has_interface(&entry.interface, asking).await? {",
                "if self.has_interface(&entry.interface, asking).await.is_err() {",
            ],
        ],
        tests: &["elastic"],
        says: "put an address of the administrator onto another node",
    },
    Bug {
        name: "a displaced address is restored without a look at its place, with reassociation allowed",
        changes: &[
            [
                "src/resource/elastic/displaced.rs",
                "if let Some(occupied) = self.occupied(entry, &target, asking).await? {",
                "if let Some(occupied) = self.occupied(entry, &target, asking).await?.filter(|_| false) {",
            ],
            [
                "src/resource/elastic/displaced.rs",
                "associate(allocation, target, false)",
                "associate(allocation, target, true)",
            ],
        ],
        tests: &["elastic"],
        says: "pushed off what the administrator had put there",
    },
    Bug {
        name: "an action that does not keep its deadline",
        changes: &[[
            "src/base/deadline.rs",
            "timeout_at(self.end, work).await.map_err(|_| OutOfTime)",
            "Ok(work.await)",
        ]],
        tests: EVERY_KIND,
        says: "had no answer before it would have been killed",
    },
    Bug {
        name: "the calls for route tables are sent one after the other",
        changes: &[[
            "src/resource/start.rs",
            "let mut outcomes = together(orders).await;",
            "let mut outcomes = Vec::new();
        for order in orders {
            outcomes.push(Box::pin(order).await);
        }",
        ]],
        tests: &["overlay"],
        says: "sent the calls for its route tables one after the other",
    },
    Bug {
        name: "a mixture of routes counts as held",
        changes: &[[
            "src/resource/overlay/paths.rs",
            "(here, all, _) if here == all => Owner::Ours(self),",
            "(here, _, _) if here > 0 => Owner::Ours(self),",
        ]],
        tests: &["overlay"],
        says: "said 0, and at no instant of it did the node hold the address",
    },
    Bug {
        name: "a stop replaces the routes",
        changes: &[[
            "src/resource/overlay/mod.rs",
            "    async fn before_stop(op: &Op<'_, Self, W>) -> Result<(), Error> {\n",
            "    async fn before_stop(op: &Op<'_, Self, W>) -> Result<(), Error> {
                let tables = op.known_tables().unwrap_or_default();
                if let (false, Ok(place)) = (tables.is_empty(), op.own_place().await) {
                    for table in tables {
                        let _ = op.world.ec2().replace_route(&table, op.params.address, &place.interface).await;
                    }
                }
",
        ]],
        tests: &["overlay"],
        says: "has lost the address with all well",
    },
    Bug {
        name: "an error of EC2 counts as an address that is not here, though the host has it",
        changes: &[[
            "src/resource/monitor.rs",
            "if asking == Asking::Probe && !K::METADATA_KNOWS && !self.is_started() {",
            "if !K::METADATA_KNOWS {",
        ]],
        tests: &["overlay"],
        says: "said 7, and the node held the address all the time",
    },
    Bug {
        name: "a route that another node has taken is not noticed",
        changes: &[[
            "src/resource/overlay/mod.rs",
            "since.is_none_or(|since| since >= op.params.check_interval)",
            "since.is_none() && false",
        ]],
        tests: &["overlay"],
        says: "with all well",
    },
    Bug {
        name: "state is written in place",
        changes: &[[
            "src/state/file.rs",
            "let written = write_new(&temporary, text).and_then(|()| fs::rename(&temporary, path));",
            "let written = write_new(&temporary, text).and_then(|()| fs::write(path, text));",
        ]],
        tests: &["a_kill"],
        says: "killed at",
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

/// Runs the tests of this package in the copy whose names have one of these parts.
fn run(copy: &Copy, tests: &[&str], runs: &str) -> io::Result<Output> {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("planted");
    Command::new(env!("CARGO"))
        .args(["test", "--locked", "--offline", "--package", "interleavings"])
        .args(["--test", "rules", "--test", "records", "--no-fail-fast", "--"])
        .args(tests)
        .current_dir(&copy.0)
        .env("CARGO_TARGET_DIR", target)
        // Each is compiled once, and runs until it is found.
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
    let sound = run(&copy, &[], "300").expect("cargo");
    assert!(sound.status.success(), "without a bug: {}", String::from_utf8_lossy(&sound.stdout));
    let wanted = std::env::var("PLANTED").unwrap_or_default();
    for bug in BUGS.iter().filter(|bug| bug.name.contains(&wanted)) {
        for [file, right, wrong] in bug.changes {
            let sound = fs::read_to_string(copy.0.join(file)).expect("a source file");
            assert_eq!(sound.matches(right).count(), 1, "{file}: {right:?} is not there once");
            fs::write(copy.0.join(file), sound.replace(right, wrong)).expect("a planted bug");
        }
        for test in bug.tests {
            // The first failure ends it; the rarest of these bugs shows about once in two thousand runs.
            let outcome = run(&copy, &[test], "20000").expect("cargo");
            let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
            let errors = String::from_utf8_lossy(&outcome.stderr).into_owned();
            assert!(!errors.contains("could not compile"), "{} does not compile: {errors}", bug.name);
            assert!(!outcome.status.success(), "not found by {test}: {}", bug.name);
            let found = said.contains(bug.says) || errors.contains(bug.says);
            assert!(found, "{} by {test}: failed, but not for that: {said}{errors}", bug.name);
            println!("found by {test}: {}", bug.name);
        }
        for [file, ..] in bug.changes {
            fs::copy(root.join(file), copy.0.join(file)).expect("the sound source");
        }
    }
}
