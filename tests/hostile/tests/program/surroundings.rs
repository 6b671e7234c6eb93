//! The environment: every parameter of the agents, what the cluster adds, what the SDK and the libraries look at.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::time::Duration;

use eip::params::table::{EIP, HEALTH, OVERLAY, VIP};
use fastrand::Rng;
use hostile::seed::{self, HostileOutcome};
use hostile::{input, verdict};

use crate::scene::{PROGRAMS, Scene, allowed, asked};

/// Variables that are not parameters of the resource.
const OTHERS: &str = "\
    OCF_RESKEY_CRM_meta_on_node OCF_RESKEY_CRM_meta_interval OCF_RESKEY_CRM_meta_name \
    OCF_RESKEY_CRM_meta_op_target_rc OCF_RESKEY_crm_feature_set OCF_RESKEY_OCF_CHECK_LEVEL \
    OCF_RESKEY_trace_ra OCF_RESKEY_trace_dir OCF_CHECK_LEVEL OCF_RA_VERSION_MAJOR OCF_RA_VERSION_MINOR \
    OCF_RESOURCE_INSTANCE OCF_RESOURCE_TYPE OCF_RESOURCE_PROVIDER OCF_ROOT OCF_TRACE_RA OCF_TRACE_FILE \
    HA_LOGFILE HA_DEBUGLOG HA_LOGFACILITY HA_LOGTAG HA_DATEFMT HA_debug HA_RSCTMP HA_VARLIB EIP_STATE_DIR \
    HOME TZ TZDIR LANG AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE \
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CA_BUNDLE AWS_ENDPOINT_URL \
    AWS_ENDPOINT_URL_STS AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE AWS_EC2_METADATA_DISABLED \
    AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN \
    AWS_ROLE_SESSION_NAME AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_CREDENTIALS_RELATIVE_URI \
    AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE HTTPS_PROXY https_proxy \
    NO_PROXY SSL_CERT_FILE SSL_CERT_DIR AWS_RETRY_MODE";

/// Returns the name of a variable that some program reads, seldom an unknown one.
fn name(rng: &mut Rng) -> OsString {
    let parameters =
        EIP.iter().chain(VIP).chain(OVERLAY).chain(HEALTH).map(|spec| format!("OCF_RESKEY_{}", spec.name));
    let known: Vec<String> = parameters.chain(OTHERS.split_whitespace().map(str::to_owned)).collect();
    if let Some(name) = known.get(rng.usize(..known.len() + 4)) {
        return name.into();
    }
    let mut name = b"OCF_RESKEY_".to_vec();
    name.extend(input::bytes(rng, &[]));
    name.retain(|&byte| byte != b'=');
    OsString::from_vec(name)
}

fn case(scene: &Scene, rng: &mut Rng) -> Result<HostileOutcome, String> {
    let place = scene.place();
    let paths = place.specials();
    let program = PROGRAMS[*rng.choice(&[0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 7]).unwrap()];
    let mut call = scene.call(program, &asked(rng, program), &place);
    if rng.bool() {
        call = call.set("OCF_RESKEY_CRM_meta_interval", "10000");
    }
    if rng.u8(0..3) == 0 {
        call = call.set("OCF_CHECK_LEVEL", "10");
    }
    if rng.u8(0..6) == 0 {
        call = call.set("OCF_TRACE_RA", "1").set("OCF_TRACE_FILE", place.at("trace/all"));
    }
    if rng.u8(0..4) == 0 {
        // The node's usual way to AWS is not asked for by a parameter.
        call = call.unset("OCF_RESKEY_endpoint_url").unset("OCF_RESKEY_imds_endpoint");
    }
    for _ in 0..rng.usize(1..5) {
        let name = name(rng);
        // A path that leads somewhere, where a path is expected.
        let is_path = ["FILE", "DIR", "HOME", "LOG", "TZ", "BUNDLE", "bundle", "_dir", "RSCTMP", "VARLIB"];
        let is_path = is_path.iter().any(|part| name.to_string_lossy().contains(part));
        let value = if is_path && rng.bool() {
            paths[rng.usize(..paths.len())].clone().into_bytes()
        } else {
            input::bytes(rng, &paths)
        };
        call = call.set(name, OsString::from_vec(value));
    }
    let ended = call.run();
    // Without a file for the log, its lines go to standard error.
    let mut allowed = allowed(program);
    if call.variables.get(OsStr::new("HA_LOGFILE")).is_none_or(|path| path.is_empty()) {
        allowed = verdict::TOOL;
    }
    if call
        .variables
        .get(OsStr::new("OCF_EXIT_REASON_PREFIX"))
        .is_none_or(|prefix| prefix != "ocf-exit-reason:")
    {
        allowed = verdict::TOOL;
    }
    verdict::judge(&call, &ended, allowed)
}

#[test]
fn whatever_is_in_the_environment() {
    let Some(scene) = Scene::new() else { return };
    seed::run("environment", 400, |rng| case(&scene, rng));
}

/// The time that the cluster says: nonsense counts as the usual one, and a time without end is none that overflows.
#[test]
fn whatever_the_cluster_sets_about_time() {
    let Some(scene) = Scene::new() else { return };
    seed::run("time", 30, |rng| {
        let place = scene.place();
        let program = *rng.choice(&["eip", "eip", "vip", "overlay-ip"]).unwrap();
        let call = scene.call(program, &asked(rng, program), &place);
        let (mut timeout, interval) = (input::text(rng, &[]), input::text(rng, &[]));
        // Shorter than a process takes to begin.
        if timeout.parse::<u64>().is_ok_and(|milliseconds| milliseconds < 4_000) {
            timeout.push_str("0000");
        }
        let mut call = call.set("OCF_RESKEY_CRM_meta_timeout", timeout.replace('\0', ""));
        call = call.set("OCF_RESKEY_CRM_meta_interval", interval.replace('\0', ""));
        call.timeout = Duration::from_secs(20);
        let ended = call.run();
        verdict::judge(&call, &ended, allowed(program))
    });
}
