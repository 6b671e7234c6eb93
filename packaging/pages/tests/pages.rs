//! The checked-in pages against the tables they come from, and against the programs that read them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use eip::ocf::agent::Advertised;

/// Words with an equals sign in examples that are not parameters of an agent: of operations, meta attributes and the cluster.
const OF_THE_CLUSTER: &[&str] = &["interval", "timeout", "allow-migrate", "--validate"];

/// Written by hand: its settings are few, and `tests/agent` runs the forms that it shows.
const BY_HAND: &str = "man/man8/eip-keepalived.8";

#[test]
fn what_is_checked_in_is_what_the_tables_say() {
    for page in pages::all() {
        let path = pages::folder().join(&page.path);
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page.text, "{} is old; renew it with: {}", path.display(), pages::RENEW);
    }
}

#[test]
fn no_page_is_left_of_something_that_is_gone() {
    let made = pages::all().into_iter().map(|page| page.path);
    let known: Vec<PathBuf> =
        made.chain([PathBuf::from(BY_HAND)]).map(|path| pages::folder().join(path)).collect();
    for folder in ["man/man7", "man/man8", "completions"] {
        let Ok(entries) = fs::read_dir(pages::folder().join(folder)) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            assert!(known.contains(&path), "nothing makes {}", path.display());
        }
    }
}

#[test]
fn every_action_that_the_cluster_is_told_of_is_described() {
    for about in pages::AGENTS {
        for action in about.agent.actions.iter().filter(|action| action.advertised != Advertised::Never) {
            assert!(!about.does(action.name).is_empty(), "{} {}", about.agent.name, action.name);
        }
        for (name, _) in about.actions {
            assert!(about.agent.actions.iter().any(|action| action.name == *name), "no action {name}");
        }
    }
}

#[test]
fn every_agent_has_a_page() {
    let described: Vec<&str> = pages::AGENTS.iter().map(|about| about.agent.name).collect();
    assert_eq!(described, eip::ocf::agent::ALL.map(|agent| agent.name));
}

#[test]
fn every_exit_code_is_explained_once() {
    for about in pages::AGENTS {
        let codes: Vec<u8> = about.exit_codes.iter().map(|(code, _)| u8::from(*code)).collect();
        assert_eq!(codes, (0..=7).collect::<Vec<u8>>(), "{}", about.agent.name);
    }
}

#[test]
fn examples_use_parameters_that_exist() {
    for about in pages::AGENTS {
        for (text, commands) in about.examples {
            let settings = commands.split(['\n', ' ', '\'']).filter_map(|word| word.split_once('='));
            for (name, _) in settings.filter(|(name, _)| !OF_THE_CLUSTER.contains(name)) {
                let known = about.agent.parameters.iter().any(|spec| spec.name == name);
                assert!(known, "{text} {name} is no parameter of {}", about.agent.name);
            }
        }
    }
}

/// Runs a program and returns all that it printed; says so where it is not there, and fails in CI.
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
    let paths = pages::all().into_iter().map(|page| pages::folder().join(page.path));
    let pages: Vec<String> = paths
        .filter(|path| path.starts_with(pages::folder().join("man")))
        .map(|path| path.display().to_string())
        .collect();
    assert!(!pages.is_empty());
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
        // The version stands for the date.
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
    let script = pages::folder().join("completions/eipctl");
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
    let page = fs::read_to_string(pages::folder().join("man/man8/eipctl.8")).unwrap();
    for command in eip::face::ctl::command::command().get_subcommands() {
        assert!(page.contains(&format!("\"eipctl {} ", command.get_name())), "{command}");
        for long in command.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(
                page.contains(&format!("\\fB\\-\\-{}\\fR", long.replace('-', "\\-"))),
                "{command} --{long}"
            );
        }
    }
}

#[test]
fn a_page_prints_every_parameter_with_its_description() {
    for about in pages::AGENTS {
        let page = pages::folder().join(format!("man/man7/ocf_heartbeat_{}.7", about.agent.name));
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
        for spec in about.agent.parameters {
            assert!(
                plain.contains(&words(&format!("{} {}", spec.name, spec.long))),
                "{}: {plain}",
                spec.name
            );
        }
    }
}
