//! Every example with a stand-in for each program that it calls. One call fails or prints nothing: what the example prints then, and
//! what it writes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use agent_tests::Folder;

use super::{Tool, scripts, text};

const PROGRAMS: [&str; 19] = [
    "apt-get",
    "chage",
    "cibadmin",
    "corosync",
    "corosync-cfgtool",
    "corosync-cmapctl",
    "crm",
    "crm_mon",
    "crm_node",
    "crm_resource",
    "dnf",
    "eip",
    "overlay-ip",
    "passwd",
    "pcs",
    "sleep",
    "systemctl",
    "yum",
    "zypper",
];
/// Programs in the examples that change nothing outside their own folder.
const UTILITIES: [&str; 8] = ["cat", "cp", "grep", "mktemp", "rm", "sed", "sh", "wc"];
/// Prints the program's output of a successful call. Call number `FAILS` is refused; call number `SILENT` exits with 0 without output.
const STAND_IN: &str = r#"#!/bin/sh
name=${0##*/}
echo "$name $*" >>"$FOLDER/calls"
number=$(($(wc -l <"$FOLDER/calls")))
[ "$name" != crm ] || case "$*" in *'load update -') sed 's/^/    /' >"$FOLDER/loaded" ;; esac
if [ "$number" = "${FAILS:-}" ]; then echo "$name: refused" >&2 && exit 1; fi
if [ "$number" = "${SILENT:-}" ]; then exit 0; fi
case "$name $*" in
"crm_resource --locate"* | crm_node*) echo n1 ;;
"crm_resource "*--get-parameter*) echo 203.0.113.10 ;;
crm_mon*) echo 'partition with quorum' ;;
"corosync "*) echo "Corosync Cluster Engine, version '3.1.7'" ;;
"cibadmin --query"*) cat "$FOLDER/cib" ;;
"pcs cluster cib "*) cp "$FOLDER/cib" "$3" ;;
eip*) [ -n "$OCF_RESKEY_elastic_ip" ] ;;
overlay-ip*) [ -n "$OCF_RESKEY_overlay_ip" ] ;;
esac
"#;
const CIB: &str = r#"<primitive id="eip" class="ocf" provider="heartbeat" type="awseip">
  <op id="eip-op" name="start" interval="0s" on-fail="stop"/>
</primitive>
"#;
/// Calls whose failure may just mean that there is nothing of that kind.
const QUESTIONS: [&str; 4] =
    ["cibadmin --query", "crm_mon", "crm_resource --resource eip --get-parameter", "corosync-cmapctl"];

struct Rehearsal {
    code: i32,
    stderr: String,
    calls: Vec<String>,
    /// Input of `crm configure load`.
    loaded: String,
}

/// How a call fails, and the call's number.
type Trouble = Option<(&'static str, usize)>;

fn rehearse(script: &str, argument: &str, trouble: Trouble) -> Rehearsal {
    rehearse_on(CIB, script, argument, trouble)
}

fn rehearse_on(cib: &str, script: &str, argument: &str, trouble: Trouble) -> Rehearsal {
    let folder = Folder::new();
    let here = folder.path().display().to_string();
    for name in PROGRAMS {
        let path = folder.write(&format!("bin/{name}"), STAND_IN);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for name in UTILITIES {
        let path = ["/usr/bin", "/bin"].map(|place| format!("{place}/{name}"));
        symlink(
            path.iter().find(|path| fs::exists(path).unwrap()).unwrap(),
            folder.path().join("bin").join(name),
        )
        .unwrap();
    }
    folder.write("cib", cib);
    folder.write("corosync.conf", "  token: 1000\n");
    // Programs that it calls by their paths.
    let example = text(script)
        .replace("/usr/lib/ocf/resource.d/heartbeat/", &format!("{here}/bin/"))
        .replace("/etc/corosync/corosync.conf", &format!("{here}/corosync.conf"))
        .replace("/var/lib/pacemaker/cib/", &format!("{here}/no-cib/"));
    let example = folder.write("example.sh", &example);
    let mut command = Command::new("/bin/sh");
    command.arg(example).args((!argument.is_empty()).then_some(argument)).env_clear();
    command
        .env("PATH", format!("{here}/bin"))
        .env("FOLDER", &here)
        .env("TMPDIR", &here)
        .env("RESOURCE", "eip")
        .env("CHECK_URL", "http://127.0.0.1/");
    command.envs(trouble.map(|(what, number)| (what, number.to_string())));
    let output = command.output().unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    Rehearsal {
        code: output.status.code().unwrap_or(-1),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        calls: read("calls").lines().map(str::to_owned).collect(),
        loaded: read("loaded"),
    }
}

/// Passes every example to `judge`, with each of its arguments and with its calls if none fails.
fn each(judge: impl Fn(&str, &str, &[String]) + Sync) {
    std::thread::scope(|scope| {
        for tool in [Tool::Pcs, Tool::Pcs09, Tool::Crmsh] {
            let judge = &judge;
            scope.spawn(move || {
                for file in scripts(tool) {
                    let script = format!("{}/{file}", tool.folder());
                    let arguments: &[&str] = if file.starts_with("from-one") { &["1", "2"] } else { &[""] };
                    for argument in arguments {
                        let well = rehearse(&script, argument, None);
                        assert_eq!((well.code, well.stderr.as_str()), (0, ""), "{script} {argument}");
                        judge(&script, argument, &well.calls);
                    }
                }
            });
        }
    });
}

#[test]
fn an_example_that_stops_reports_where_and_how_to_go_back_and_leaves_nothing_unmanaged_in_silence() {
    each(|script, argument, calls| {
        for number in 1..=calls.len() {
            let failed = &calls[number - 1];
            let outcome = rehearse(script, argument, Some(("FAILS", number)));
            let told = format!("{script} {argument}, call {number} fails: {failed}\n{}", outcome.stderr);
            if outcome.code == 0 {
                assert!(QUESTIONS.iter().any(|question| failed.starts_with(question)), "goes on: {told}");
                continue;
            }
            assert!(outcome.stderr.contains(" stopped: "), "{told}");
            let managed = calls[..number - 1].iter().any(|call| call.contains("resource manage"));
            let unmanaged =
                calls[..number].iter().any(|call| call.contains("resource unmanage")) || argument == "2";
            if unmanaged && !managed {
                assert!(
                    outcome.stderr.contains("is unmanaged") && outcome.stderr.contains("resource manage eip"),
                    "{told}"
                );
            }
        }
    });
}

#[test]
fn an_answer_that_is_empty_with_status_0_is_written_nowhere() {
    each(|script, argument, calls| {
        for (number, call) in (1..).zip(calls) {
            let asks =
                QUESTIONS.iter().any(|question| call.starts_with(question)) || call.contains("--locate");
            if !asks {
                continue;
            }
            let outcome = rehearse(script, argument, Some(("SILENT", number)));
            let told = format!(
                "{script} {argument}, call {number} prints nothing: {call}\n{}\n{}",
                outcome.calls.join("\n"),
                outcome.loaded
            );
            for text in outcome.calls.iter().chain([&outcome.loaded]) {
                let mut values = text.split("_ip=").skip(1);
                assert!(
                    values.all(|value| value.starts_with(|first: char| first.is_ascii_digit())),
                    "{told}"
                );
            }
            if call.contains("--locate") && argument != "2" && number == 1 {
                assert!(outcome.code != 0 && outcome.calls.len() == 1, "{told}");
            }
        }
    });
}

#[test]
fn fencing_is_switched_on_by_the_name_that_counts_if_pacemaker_3_has_the_new_one() {
    let new = format!("{CIB}<nvpair id=\"f\" name=\"fencing-enabled\" value=\"false\"/>\n");
    for tool in [Tool::Pcs, Tool::Crmsh] {
        for (cib, right, wrong) in [
            (CIB, "stonith-enabled=true", "fencing-enabled"),
            (&new, "fencing-enabled=true", "stonith-enabled"),
        ] {
            let outcome = rehearse_on(cib, &format!("{}/fencing.sh", tool.folder()), "", None);
            let written = format!("{}\n{}", outcome.calls.join("\n"), outcome.loaded);
            assert!(outcome.code == 0 && written.contains(right) && !written.contains(wrong), "{written}");
        }
    }
}
