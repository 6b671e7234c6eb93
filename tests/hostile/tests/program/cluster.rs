//! What Pacemaker gives: the answers of its tools, the event that it hands to an alert agent, and what that reads besides.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use agent_tests::{Run, write_program};
use fastrand::Rng;
use hostile::call::AgentCall;
use hostile::place::Place;
use hostile::seed::{self, HostileOutcome};
use hostile::{input, verdict};

use crate::scene::{Scene, allowed};

/// Prints what the case has for this tool, on standard error if it is to fail.
const TOOL: &str = "#!/bin/sh\nanswer=$HOSTILE_ANSWERS/${0##*/}\necho \"${0##*/} $*\" >>\"$HOSTILE_ANSWERS/calls\"\n[ -e \"$answer\" ] || exit 0\n\
    [ ! -e \"$answer.fails\" ] || { cat \"$answer\" >&2; exit 1; }\nexec cat \"$answer\"\n";
/// The tools that are called, with what a sound cluster prints.
const TOOLS: [(&str, &str); 6] = [
    ("cibadmin", CIB),
    ("crm_node", "n1\n"),
    ("attrd_updater", ""),
    ("crm_mon", include_str!("../../../../src/face/cluster/fixtures/crm_mon-2.1.5.xml")),
    ("corosync-cmapctl", "runtime.config.totem.token (u32) = 1000\n"),
    ("crm_resource", ""),
];
const CIB: &str = r##"<cib crm_feature_set="3.16.2" have-quorum="1"><configuration>
<crm_config><cluster_property_set id="p"><nvpair id="p1" name="node-health-strategy" value="migrate-on-red"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
<resources><template id="t" class="ocf" provider="heartbeat" type="eip"><instance_attributes id="ti"><nvpair id="t1" name="on_stop" value="leave"/>
</instance_attributes></template>
<primitive id="eip" template="t"><instance_attributes id="i" score="2"><rule id="r" boolean-op="or"><expression id="e" attribute="#uname" operation="eq" value="n1"/></rule>
<nvpair id="i1" name="elastic_ip" value="203.0.113.10"/></instance_attributes><operations id="o"><op id="o1" name="monitor" interval="10s" timeout="20s"/></operations></primitive>
<group id="g"><primitive id="web" class="ocf" provider="heartbeat" type="overlay-ip"><instance_attributes id="w"><nvpair id="w1" name="overlay_ip" value="192.168.10.1"/>
<nvpair id="w2" name="routing_table" value="rtb-00000000000000001"/></instance_attributes></primitive></group>
<clone id="health-clone"><meta_attributes id="m"><nvpair id="m1" name="allow-unhealthy-nodes" value="true"/></meta_attributes>
<primitive id="vip" class="ocf" provider="heartbeat" type="eip-health"><instance_attributes id="h"><nvpair id="h1" name="node_health" value="true"/></instance_attributes>
</primitive></clone></resources><constraints/></configuration><status>
<node_state uname="n1"><transient_attributes><instance_attributes id="s"><nvpair id="s1" name="eip-ready-eip" value="true"/><nvpair id="s2" name="#health-eip" value="yellow"/>
<nvpair id="s3" name="eip-report-eip" value="at=1700000000 ready=true here=no ec2=1700000000 reason=allowed by a dry run"/></instance_attributes></transient_attributes></node_state>
<node_state uname="n2"><transient_attributes><instance_attributes id="u"><nvpair id="u1" name="#health-eip" value="green"/>
<nvpair id="u2" name="eip-report-eip" value="at=4000000000 ready=true here=yes ec2=4000000000 reason=has the address"/></instance_attributes></transient_attributes></node_state>
</status></cib>
"##;
/// More elements than a cluster has. The agent refuses what is much larger.
const LARGEST_DOCUMENT: usize = 1 << 20;
/// What asks the tools.
const ASKING: [(&str, &str); 8] = [
    ("eip-health", "start"),
    ("eip-health", "start"),
    ("eip-health", "monitor"),
    ("eip-health", "stop"),
    ("eipctl", "status --timeout=3"),
    ("eipctl", "status --timeout=3 --json"),
    ("eipctl", "metrics"),
    ("eipctl", "check --timeout=3 203.0.113.10"),
];

/// The files of the alert agent in the folder of a case.
pub(crate) const HISTORY: &str = "state/durable/history/vip.json";
pub(crate) const LOSS: &str = "state/durable/alert/loss";
pub(crate) const COROSYNC: &str = "corosync/corosync.conf";
pub(crate) const COROSYNC_CONF: &str = "totem {\n    version: 2\n    token: 1000\n    consensus: 1200\n}\n";
/// What Pacemaker sets for an alert agent after a start.
const EVENT: [(&str, &str); 6] = [
    ("CRM_alert_kind", "resource"),
    ("CRM_alert_rsc", "vip"),
    ("CRM_alert_node", "n1"),
    ("CRM_alert_task", "start"),
    ("CRM_alert_rc", "0"),
    ("CRM_alert_desc", "ok"),
];
/// The other variables that an alert agent reads.
const MORE: [&str; 5] = [
    "CRM_alert_recipient",
    "CRM_alert_timestamp_epoch",
    "CRM_alert_timestamp_usec",
    "eip_alert_timeout",
    "ca_bundle",
];

fn now() -> u128 {
    SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970").as_millis()
}

/// A history whose last change is to be announced.
pub(crate) fn history() -> String {
    format!(
        "[{{\"at_ms\":{},\"action\":\"start\",\"from\":\"i-00000000000000002 (10.0.1.11)\",\"to\":\"this node\",\"took_ms\":90,\
         \"address\":\"203.0.113.10\",\"node\":\"n1\",\"phases\":[{{\"phase\":\"looking\",\"ms\":5}}]}}]",
        now()
    )
}

/// The loss of a node right before that.
pub(crate) fn loss() -> String {
    format!("{{\"node\":\"n2\",\"at_ms\":{}}}", now() - 2_000)
}

/// Writes the tools beside the links.
pub(crate) fn write_tools(links: &Path) {
    for (name, _) in TOOLS {
        write_program(&links.join("bin").join(name), TOOL);
    }
}

/// Gives a program of the cluster a sound one.
pub(crate) fn surround(run: Run, program: &Path, place: &Place) -> Run {
    let run = run.env("HOSTILE_ANSWERS", place.at("answers")).env("eip_alert_timeout", "3");
    if program.ends_with("eip-alert") {
        place.write(HISTORY, history().as_bytes());
        place.write(LOSS, loss().as_bytes());
        return EVENT.into_iter().fold(run, |run, (name, value)| run.env(name, value));
    }
    if !program.ends_with("eip-health") {
        return run;
    }
    for (name, answer) in TOOLS {
        place.write(&format!("answers/{name}"), answer.as_bytes());
    }
    let bin = program.parent().expect("the folder of the links").join("bin");
    run.tools_in(&bin).env("OCF_RESKEY_CRM_meta_on_node", "n1")
}

/// Puts Corosync's configuration of the case where the program looks for it.
pub(crate) fn with_corosync(mut call: AgentCall, place: &Place) -> AgentCall {
    assert!(
        Path::new("/etc/corosync").is_dir(),
        "corosync is needed for this test (`make deps` installs it)"
    );
    let folder = place.at("corosync");
    let mount = "mount --bind \"$0\" /etc/corosync && exec \"$@\"";
    call.before.extend(["unshare", "--mount", "--", "sh", "-c", mount, &folder].map(str::to_owned));
    call
}

fn tools_case(scene: &Scene, rng: &mut Rng) -> Result<HostileOutcome, String> {
    let place = scene.place();
    let (program, words) = *rng.choice(&ASKING).unwrap();
    let words: Vec<&str> = words.split(' ').collect();
    // The tools are those of the agent's clone, whatever is called.
    let sound = scene.call("eip-health", &[], &place);
    let mut call = scene.call(program, &words, &place);
    call = call.set("PATH", &sound.variables[OsStr::new("PATH")]);
    if words[0] == "monitor" {
        call = call.set("OCF_RESKEY_CRM_meta_interval", "10000");
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        place.write("state/volatile/vip.health", format!("{{\"boot\":\"{}\"}}", boot.trim()).as_bytes());
    }
    if rng.bool() {
        call = call.unset("OCF_RESKEY_CRM_meta_on_node");
    }
    let (name, answer) = TOOLS[*rng.choice(&[0, 0, 0, 0, 1, 2, 3, 3, 4]).unwrap()];
    let file = format!("answers/{name}");
    let put = match rng.u8(0..10) {
        0..=5 => {
            let mut bytes = input::mangle(rng, answer.as_bytes());
            bytes.truncate(LARGEST_DOCUMENT);
            place.write(&file, &bytes);
            String::from_utf8_lossy(&bytes).escape_debug().take(600).collect()
        }
        6 | 7 => {
            let mut bytes = input::document(rng, answer.as_bytes());
            bytes.truncate(LARGEST_DOCUMENT);
            place.write(&file, &bytes);
            String::from_utf8_lossy(&bytes).escape_debug().take(600).collect()
        }
        _ => place.put_special(&file, rng.usize(..)).to_owned(),
    };
    if rng.u8(0..5) == 0 {
        place.write(&format!("{file}.fails"), b"");
    }
    if program == "eipctl" {
        // Each tool that it runs has a time of its own.
        call.timeout = Duration::from_secs(20);
    }
    let ended = call.run();
    verdict::judge(&call, &ended, allowed(program)).map_err(|wrong| format!("{wrong}--- {name}: {put}"))
}

/// [health-7]
#[test]
fn whatever_the_tools_of_the_cluster_print() {
    let Some(scene) = Scene::new() else { return };
    seed::run("tools", 120, |rng| tools_case(&scene, rng));
}

/// Or else what is changed in the others is never read.
#[test]
fn with_a_sound_cluster_readiness_is_reported_and_a_move_announced() {
    let Some(scene) = Scene::new() else { return };
    let logged = |call: &AgentCall| {
        let ended = call.run();
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.logs.iter().map(|(_, log)| String::from_utf8_lossy(log)).collect::<String>()
    };
    let place = scene.place();
    let log = logged(&scene.call("eip-health", &["start"], &place));
    let calls = fs::read_to_string(place.path().join("answers/calls")).expect("the calls of the tools");
    let report = calls.lines().find(|line| line.starts_with("attrd_updater -n eip-report-eip -U at="));
    assert!(report.is_some_and(|report| report.contains(" ready=true here=no ec2=")), "{calls}{log}");
    let place = scene.place();
    place.write(COROSYNC, COROSYNC_CONF.as_bytes());
    let log = logged(&with_corosync(scene.call("eip-alert", &[], &place), &place));
    assert!(log.contains("n2 was lost") && log.contains("outage about 4"), "{log}");
}

/// [alert-5]
#[test]
fn whatever_the_event_of_an_alert_has() {
    let Some(scene) = Scene::new() else { return };
    seed::run("alerts", 120, |rng| {
        let place = scene.place();
        let paths = place.specials();
        let mut call = scene.call("eip-alert", &[], &place);
        for _ in 0..rng.usize(1..4) {
            let names: Vec<&str> = EVENT.iter().map(|(name, _)| *name).chain(MORE).collect();
            let name = input::one_of(rng, &names);
            let mut value = input::bytes(rng, &paths);
            if name == "CRM_alert_recipient" && rng.bool() {
                value.splice(0..0, *b"command=");
            }
            call = call.set(name, OsString::from_vec(value));
        }
        if rng.u8(0..4) == 0 {
            call = call.set("CRM_alert_kind", "node").set("CRM_alert_desc", "lost");
        }
        let ended = call.run();
        verdict::judge(&call, &ended, allowed("eip-alert"))
    });
}
