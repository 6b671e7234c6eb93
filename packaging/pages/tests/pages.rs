//! The checked-in pages against the tables they come from, and against the programs that read them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use eip::face::{init, keepalived};
use eip::ocf::agent;
use eip::params::table;

/// Words with an equals sign in examples that are not parameters of an agent: of operations, meta attributes and the cluster.
const OF_THE_CLUSTER: &[&str] = &["interval", "timeout", "allow-migrate", "--validate", "score"];

/// Written by hand; `tests/agent` runs the forms that they show.
const BY_HAND: [&str; 2] = ["packaging/man/man8/eip-keepalived.8", "packaging/man/man8/elastic-ip.8"];

fn generated() -> Vec<pages::Page> {
    pages::all().unwrap_or_else(|error| panic!("{error}"))
}

fn checked_in(path: &str) -> String {
    fs::read_to_string(pages::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn checked_in_pages_are_those_of_the_tables() {
    for page in generated() {
        let path = pages::root().join(&page.path);
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page.text, "{} is outdated; renew it with: make pages", path.display());
    }
}

#[test]
fn no_placeholder_is_left() {
    for page in generated().into_iter().filter(|page| page.path.starts_with("packaging/man")) {
        let placeholder = page.text.split('@').nth(1);
        assert_eq!(placeholder, None, "{}", page.path.display());
    }
}

#[test]
fn no_page_is_left_of_something_that_is_gone() {
    let known: BTreeSet<PathBuf> =
        generated().into_iter().map(|page| page.path).chain(BY_HAND.map(PathBuf::from)).collect();
    for folder in ["packaging/man/man7", "packaging/man/man8", "packaging/completions", "ocf"] {
        for entry in fs::read_dir(pages::root().join(folder)).unwrap() {
            let path = PathBuf::from(folder).join(entry.unwrap().file_name());
            // Test cases of ocft are no generated file.
            if path.ends_with("ocft") {
                continue;
            }
            assert!(known.contains(&path), "nothing makes {}", path.display());
        }
    }
}

#[test]
fn a_page_describes_every_advertised_action_with_its_timeout() {
    for agent in agent::WITH_HEALTH {
        let page = checked_in(&format!("packaging/man/man7/ocf_heartbeat_{}.7", agent.name));
        let entries: BTreeMap<&str, &str> = page
            .split(".TP\n\\fB")
            .filter_map(|entry| entry.split_once("\\fR\n"))
            .filter(|(_, text)| text.contains("Suggested minimum timeout"))
            .collect();
        let advertised = agent.actions.iter();
        for action in advertised.clone() {
            let timeout = format!("Suggested minimum timeout: {} s.", action.timeout_s);
            assert!(entries[&*action.name.replace('-', "\\-")].contains(&timeout), "{}", action.name);
        }
        assert_eq!(entries.len(), advertised.count(), "{}", agent.name);
    }
}

#[test]
fn examples_use_parameters_that_exist() {
    for agent in agent::WITH_HEALTH {
        let page = checked_in(&format!("packaging/pages/examples/{}.7", agent.name));
        let settings = page.split(['\n', ' ', '"']).filter_map(|word| word.split_once('='));
        for (name, _) in settings {
            let name = name.replace('\\', "");
            // A list by node, and what is the cluster's.
            let other = name.starts_with("node1") || OF_THE_CLUSTER.contains(&&*name);
            assert!(other || table::find(agent.parameters, &name).is_some(), "{}: {name}", agent.name);
        }
    }
}

/// Returns the terms of a page's list: all that is bold in the lines after `.TP`.
fn terms(page: &str) -> BTreeSet<String> {
    let heads = page.split(".TP\n").skip(1).filter_map(|entry| entry.lines().next());
    let bold = heads.flat_map(|head| head.split("\\fB").skip(1).filter_map(|part| part.split("\\fR").next()));
    bold.map(|term| term.replace('\\', "")).collect()
}

#[test]
fn the_page_of_elastic_ip_names_every_setting_file_and_default() {
    let page = checked_in("packaging/man/man8/elastic-ip.8");
    let terms = terms(&page);
    let used = table::EIP.iter().filter(|spec| spec.used);
    for name in
        used.map(|spec| spec.name.to_ascii_uppercase()).chain([init::settings::FILE_VARIABLE.to_owned()])
    {
        assert!(terms.contains(&name), "{name} in {terms:?}");
    }
    let plain = page.replace('\\', "");
    for file in init::settings::FILES {
        assert!(plain.contains(file), "{file}");
    }
    let defaults = init::settings::collect(None, |_| None, &BTreeMap::new()).unwrap();
    assert!(plain.contains(&format!("The default is {}.", defaults.timeout.as_secs())), "{defaults:?}");
}

#[test]
fn the_page_of_eip_keepalived_names_every_file_and_default() {
    let page = checked_in("packaging/man/man8/eip-keepalived.8");
    let defaults = keepalived::settings::KeepalivedSettings::collect(None, &BTreeMap::new()).unwrap();
    for (name, default) in [
        ("DEADLINE", defaults.deadline),
        ("CHECK_DEADLINE", defaults.check_deadline),
        ("VERIFY", defaults.verify),
    ] {
        let entry = page.split(&format!(".TP\n\\fB{name}\\fR\n")).nth(1).unwrap();
        let text = entry.lines().next().unwrap();
        assert!(text.contains(&format!("; {} if unset", default.as_secs())), "{name}: {text}");
    }
    assert!(page.contains(keepalived::FILE));
    assert!(terms(&page).contains(keepalived::settings::FILE_VARIABLE));
}

/// Returns everything that a program prints. If it is missing, says so and returns nothing, and fails in CI.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80").output() {
        Ok(output) => {
            let (out, err) = (output.stdout, output.stderr);
            Some(format!("{}{}", String::from_utf8_lossy(&out), String::from_utf8_lossy(&err)))
        }
        Err(error) => {
            eprintln!("skipped: {program}: {error}; install it with: sh tests/requirements package");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{program} is missing");
            None
        }
    }
}

/// Returns the paths of all man pages.
fn man_pages() -> Vec<String> {
    let paths = generated().into_iter().map(|page| page.path).chain(BY_HAND.map(PathBuf::from));
    let man = paths.filter(|path| path.starts_with("packaging/man"));
    let pages: Vec<String> = man.map(|path| pages::root().join(path).display().to_string()).collect();
    assert!(pages.len() > BY_HAND.len());
    pages
}

#[test]
fn groff_has_nothing_to_warn_of() {
    for page in man_pages() {
        let warnings = output("groff", &["-ww", "-z", "-Tutf8", "-man", &page]);
        assert_eq!(warnings.unwrap_or_default(), "", "{page}");
    }
}

#[test]
fn mandoc_has_nothing_to_warn_of_but_the_date() {
    for page in man_pages() {
        let Some(warnings) = output("mandoc", &["-T", "lint", "-W", "warning", &page]) else { return };
        // The version stands for the date, which would have to be changed by hand.
        let other: Vec<&str> = warnings.lines().filter(|line| !line.contains("missing date")).collect();
        assert!(other.is_empty(), "{other:#?}");
    }
}

#[test]
fn whatis_finds_each_page_by_its_name() {
    for page in man_pages() {
        let name = page.rsplit('/').next().and_then(|file| file.rsplit_once('.')).unwrap().0.to_owned();
        let Some(entry) = output("lexgrog", &[&page]) else { return };
        assert!(entry.contains(&format!("\"{name} - ")), "{entry}");
    }
}

#[test]
fn the_shell_completes_commands_and_their_options() {
    let script = pages::root().join("packaging/completions/eipctl");
    for (words, expected) in [("sh", "show"), ("show --js", "--json"), ("restore --time", "--timeout")] {
        let words: Vec<&str> = words.split(' ').collect();
        let (now, before) = (words[words.len() - 1], words.len());
        let typed = words.join(" ");
        let command = format!(
            "source '{}'; COMP_WORDS=(eipctl {typed}); COMP_CWORD={before}; _eipctl eipctl '{now}' ''; echo \"${{COMPREPLY[@]}}\"",
            script.display()
        );
        assert_eq!(output("bash", &["--norc", "-c", &command]).unwrap().trim(), expected, "{typed}");
    }
}

#[test]
fn the_page_of_eipctl_has_every_command_and_option() {
    let page = checked_in("packaging/man/man8/eipctl.8");
    for command in eip::face::ctl::command::command().get_subcommands() {
        assert!(page.contains(&format!(".SS {}\n", command.get_name())), "{command}");
        for long in command.get_arguments().filter_map(clap::Arg::get_long) {
            let option = format!("\\fB\\-\\-{}\\fR", long.replace('-', "\\-"));
            assert!(page.contains(&option), "{command} --{long}");
        }
    }
}

/// [param-1]
#[test]
fn a_page_prints_every_parameter_with_its_description() {
    for agent in agent::WITH_HEALTH {
        let page = pages::root().join(format!("packaging/man/man7/ocf_heartbeat_{}.7", agent.name));
        let Some(printed) = output("mandoc", &["-T", "ascii", "-O", "width=400", page.to_str().unwrap()])
        else {
            return;
        };
        // Bold is printed by striking a letter twice.
        let mut plain = String::new();
        for letter in printed.chars() {
            if letter == '\u{8}' {
                plain.pop();
            } else {
                plain.push(letter);
            }
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let plain = words(&plain);
        for spec in agent.parameters {
            let entry = words(&format!("{} {}", spec.name, agent.describes(spec)));
            assert!(plain.contains(&entry), "{}: {plain}", spec.name);
        }
    }
}
