//! The agent's own parsers, called directly, with texts that shrink to the smallest one that is wrong.
//!
//! `HOSTILE` and `HOSTILE_SEED` as for the built program: by itself every run has the same texts.

// Test code: a panic is how a test fails.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eip::base::deadline::Deadline;
use eip::base::ids::{AllocationId, InstanceId, MacAddress};
use eip::base::log::{Log, Process};
use eip::face::{init, keepalived, shell};
use eip::ocf::environment::Environment;
use eip::params::table::{EIP, OVERLAY, Spec, VIP};
use eip::params::{OverlayParams, Params, VipParams};
use eip::state::generations::{Generation, Generations};
use eip::state::{FileRecords, Records as _};
use hostile::{input, seed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// What texts are put together from.
const PARTS: [&str; 40] = [
    "",
    " ",
    "\n",
    "\r\n",
    "\t",
    "=",
    ",",
    ":",
    "/",
    "\\",
    "\\\n",
    "'",
    "\"",
    "`",
    "$",
    "$(",
    "${",
    ")",
    "}",
    "#",
    ";",
    "&",
    "|",
    "<",
    "export ",
    "ELASTIC_IP=",
    "AWS_PARAMS=",
    "TIMEOUT=",
    "ENI_ID=",
    "DEADLINE=",
    "--region",
    "203.0.113.10",
    "eipalloc-0123456789abcdef0",
    "node1=10.0.1.10",
    "18446744073709551616",
    "-1",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{feff}",
    "\u{e9}",
];

/// Runs a property as often as is asked for.
fn hold<S: Strategy>(name: &str, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = u32::try_from(seed::cases() * 6).expect("a number of cases");
    let seeds = [seed::seed(), 0, 0, 0].map(u64::to_le_bytes).concat();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seeds);
    // A failure is printed with its seed, so no file has to keep it.
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new_with_rng(config, rng).run(strategy, property);
    println!("{name}: seed {}, {cases} texts", seed::seed());
    if let Err(error) = outcome {
        panic!("{name}, HOSTILE_SEED={}: {error}", seed::seed());
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => vec(select(&PARTS[..]), 0..30).prop_map(|parts| parts.concat()),
        1 => any::<u64>().prop_map(|seed| input::text(&mut fastrand::Rng::with_seed(seed), &[])),
        1 => any::<String>(),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![text().prop_map(String::into_bytes), vec(any::<u8>(), 0..200)]
}

/// Fails where a complaint is more than a line for people.
fn is_a_line(complaint: &impl Display) -> Result<(), TestCaseError> {
    let text = complaint.to_string();
    prop_assert!(!text.contains(char::is_control) && text.len() <= 400, "{text:?}");
    Ok(())
}

#[test]
fn settings_files() {
    hold("settings files", &text(), |text| {
        let began = Instant::now();
        let lines = text.matches('\n').count() + 1;
        for found in shell::read(&text).assignments {
            prop_assert!(found.line <= lines && text.contains(&found.name));
        }
        match init::settings::collect(Some(("/file", &text)), |_| None, &BTreeMap::new()) {
            Ok(settings) => prop_assert!((1..=3600).contains(&settings.timeout.as_secs())),
            Err(unusable) => is_a_line(&unusable)?,
        }
        match keepalived::settings::KeepalivedSettings::collect(Some(("/file", &text)), &BTreeMap::new()) {
            Ok(settings) => {
                let environment = settings.environment(&[], settings.deadline);
                prop_assert!(environment.action_timeout() == settings.deadline);
            }
            Err(unusable) => is_a_line(&unusable)?,
        }
        let _ = init::aws_params::read(&text);
        prop_assert!(
            began.elapsed() < Duration::from_secs(5),
            "{} bytes took {:?}",
            text.len(),
            began.elapsed()
        );
        Ok(())
    });
}

#[test]
fn command_lines() {
    hold("command lines", &vec(text(), 0..6), |words| {
        if let Err(refused) = init::arguments::read(&words) {
            is_a_line(&refused.1)?;
        }
        if let Err(unusable) = keepalived::arguments::read(&words) {
            is_a_line(&unusable)?;
        }
        let _ = eip::face::ctl::command::command().try_get_matches_from(words);
        Ok(())
    });
}

fn parameters(table: &'static [Spec]) -> impl Strategy<Value = BTreeMap<String, String>> {
    let names: Vec<String> = table.iter().map(|spec| spec.name.to_owned()).collect();
    vec((select(names), text()), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

#[test]
fn parameters_of_all_agents() {
    hold("parameters of eip", &parameters(EIP), |mut raw| {
        raw.entry("elastic_ip".to_owned()).or_insert_with(|| "203.0.113.10".to_owned());
        Params::parse(&raw).map_or_else(|error| is_a_line(&error), |_| Ok(()))
    });
    hold("parameters of vip", &parameters(VIP), |raw| {
        VipParams::parse(&raw).map_or_else(|error| is_a_line(&error), |_| Ok(()))
    });
    hold("parameters of overlay-ip", &parameters(OVERLAY), |mut raw| {
        raw.entry("ip".to_owned()).or_insert_with(|| "192.168.10.1".to_owned());
        raw.entry("routing_table".to_owned()).or_insert_with(|| "rtb-00000000000000001".to_owned());
        OverlayParams::parse(&raw).map_or_else(|error| is_a_line(&error), |_| Ok(()))
    });
}

#[test]
fn environments_and_what_is_logged_under_them() {
    let names = [
        "OCF_RESKEY_CRM_meta_timeout",
        "OCF_RESKEY_CRM_meta_interval",
        "OCF_CHECK_LEVEL",
        "OCF_RA_VERSION_MAJOR",
        "HA_LOGTAG",
    ];
    let more = [
        "OCF_RESOURCE_INSTANCE",
        "OCF_RESOURCE_TYPE",
        "OCF_EXIT_REASON_PREFIX",
        "HA_DATEFMT",
        "HA_LOGFACILITY",
        "HA_debug",
    ];
    let names = [&names[..], &more].concat();
    let strategy = (vec((select(names), bytes()), 0..5), text());
    hold("environments", &strategy, |(variables, said)| {
        let variables =
            variables.into_iter().map(|(name, value)| (OsString::from(name), OsString::from_vec(value)));
        let environment = Environment::new(variables);
        for warning in environment.warnings() {
            is_a_line(warning)?;
        }
        let deadline = Deadline::new(tokio_now(), environment.action_timeout());
        prop_assert!(deadline.budget() <= environment.action_timeout());
        let written = Arc::new(Mutex::new(Vec::<u8>::new()));
        let log = Log::with(
            &environment.log_settings(),
            "start",
            Process {
                started: Instant::now(),
                stdin_is_terminal: false,
                stderr: written.clone(),
                syslog: "/nowhere".into(),
            },
        );
        log.warn(&said);
        log.exit_reason(&said);
        let written = String::from_utf8(written.lock().unwrap().clone());
        let written = written.map_err(|error| TestCaseError::fail(error.to_string()))?;
        // Without a facility and a file the warning is there, too.
        prop_assert!((1..=2).contains(&written.lines().count()), "{written:?}");
        let strange =
            written.chars().find(|&c| c != '\n' && (c.is_control() || "\u{2028}\u{202e}".contains(c)));
        prop_assert!(strange.is_none() && written.len() < 12_000, "{written:?}");
        Ok(())
    });
}

fn tokio_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[test]
fn state_files() {
    let folder = std::env::temp_dir().join(format!("eip-hostile-{}", std::process::id()));
    let volatile = folder.join("volatile");
    let record = "{\"phase\":\"started\",\"at_ms\":18446744073709551615,\"boot\":\"b\",\"elastic_ip\":\"203.0.113.10\",\"displaced\":[{}],\
                  \"history\":[{\"at_ms\":1,\"action\":\"a\",\"from\":\"b\",\"to\":\"c\",\"took_ms\":1}],\"generation\":{\"born\":1,\"pid\":2},\"told\":\"x\"}";
    for part in [&volatile, &folder.join("durable")] {
        std::fs::create_dir_all(part).unwrap();
        std::fs::set_permissions(part, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let mangled = any::<u64>()
        .prop_map(move |seed| input::mangle(&mut fastrand::Rng::with_seed(seed), record.as_bytes()));
    let strategy = (text(), prop_oneof![mangled, bytes()], any::<u64>());
    hold("state files", &strategy, |(instance, bytes, uptime)| {
        let state = OsString::from(&folder);
        let variables =
            [("EIP_STATE_DIR", state), ("OCF_RESOURCE_INSTANCE", OsString::from(instance.replace('\0', "")))];
        let environment = Environment::new(variables.map(|(name, value)| (name.into(), value)));
        let records = FileRecords::new(&environment, &Log::memory());
        // Beside the records lie the locks of those that write them.
        let count = || {
            let entries = std::fs::read_dir(&volatile).unwrap().flatten();
            entries.filter(|entry| entry.path().extension().is_some_and(|it| it == "json")).count()
        };
        let before = count();
        records.update_volatile(|record| "b".clone_into(&mut record.boot));
        // A name that is too long for a file leaves none, and what is there is read whatever is in it.
        for entry in std::fs::read_dir(&volatile).unwrap().flatten() {
            std::fs::write(entry.path(), &bytes).unwrap();
            std::fs::write(folder.join("durable").join(entry.file_name()), &bytes).unwrap();
        }
        prop_assert!(count() <= before + 1, "one file for one name");
        let (all, _) = records.all();
        for records in &all {
            let (volatile, mut durable) = (records.volatile(), records.durable());
            let _ = volatile.is_settling("b", Duration::from_millis(uptime), Duration::from_mins(1));
            if let Some(change) = durable.history.first().cloned() {
                durable.remember(change);
            }
        }
        let generations = Generations::new(&environment, "b".to_owned());
        let _ = (generations.last(), generations.is_superseded(Generation::own()));
        for part in [&volatile, &folder.join("durable")] {
            std::fs::read_dir(part)
                .unwrap()
                .flatten()
                .for_each(|entry| std::fs::remove_file(entry.path()).unwrap());
        }
        Ok(())
    });
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn ids_and_addresses_are_themselves_again_or_refused() {
    hold("ids", &text(), |text| {
        let same = |again: Option<String>| again.is_none_or(|again| again.eq_ignore_ascii_case(text.trim()));
        prop_assert!(same(text.parse::<AllocationId>().ok().map(|id| id.to_string())));
        prop_assert!(same(text.parse::<InstanceId>().ok().map(|id| id.to_string())));
        prop_assert!(text.parse::<MacAddress>().map_or(true, |mac| mac.to_string().len() == 17));
        if let Some(generation) = Generation::parse(&text) {
            prop_assert_eq!(Generation::parse(&generation.to_text()), Some(generation));
        }
        Ok(())
    });
}
