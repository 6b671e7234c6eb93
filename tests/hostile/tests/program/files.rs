//! Files: state, keys, profiles, settings, certificates, tokens. Changed, huge, or not files at all.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use fastrand::Rng;
use hostile::call::AgentCall;
use hostile::place::Place;
use hostile::seed::{self, HostileOutcome};
use hostile::{input, verdict};

use crate::cluster;
use crate::scene::{Scene, allowed, asked};

const PROFILES: &str = "[default]\nregion = eu-west-1\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n\
     [profile a]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = b\n[profile b]\nrole_arn = arn:aws:iam::123456789012:role/y\n\
     source_profile = a\n[profile c]\nweb_identity_token_file = TOKEN\nrole_arn = arn:aws:iam::123456789012:role/x\n\
     s3 =\n  nested = 1\n  more = 2\n[sso-session d]\nsso_region = x\n";
const SECRET: &str = "AKIDEXAMPLE\nwJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n";
const INIT: &str = "# settings\nexport AWS_PARAMS=\"--region=eu-west-1 --cli-read-timeout 5\"\nexport ELASTIC_IP=203.0.113.10\n\
     TIMEOUT=10\nINTERFACE='eth0'\nMY_ID=$(hostname)\n";
const KEEPALIVED: &str = "export AWS_ACCESS_KEY=AKIDEXAMPLE\nexport AWS_SECRET_KEY='s3cret'\nENI_ID=\"eni-0123456789abcdef0\"\n\
     ELASTIC_IP=203.0.113.10\nDEADLINE=5\nCHECK_DEADLINE=3\nVERIFY=0\nON_STOP=release\nHA_LOGFACILITY=daemon\n";
const RECORD: &str = "{\"phase\":\"started\",\"at_ms\":12345,\"boot\":\"BOOT\",\"elastic_ip\":\"203.0.113.10\",\"instance\":\"i-00000000000000001\",\
     \"interface\":\"eni-0123456789abcdef0\",\"mac\":\"02:00:00:00:00:01\",\"private_ip\":\"10.0.1.10\",\"association\":\"eipassoc-0123456789abcdef0\",\
     \"secondary_private_ip\":null,\"subnet\":null,\"cidr\":\"10.0.1.0/24\"}";
const DURABLE: &str = "{\"pair\":{\"public_ip\":\"203.0.113.10\",\"allocation\":\"eipalloc-0123456789abcdef0\",\"region\":\"eu-west-1\"},\
     \"region\":\"eu-west-1\",\
     \"tables\":{\"overlay_ip\":\"192.168.10.1\",\"routing_table\":\"rtb-00000000000000001\",\"ids\":[\"rtb-00000000000000001\"]},\
     \"displaced\":[{\"public_ip\":\"203.0.113.11\",\"interface\":\"eni-0123456789abcdef0\",\"private_ip\":\"10.0.1.10\",\"put_back\":false}],\
     \"reach\":{\"region\":\"eu-west-1\",\"endpoint_url\":\"EC2\",\"imds_endpoint\":\"IMDS\",\"ca_bundle\":\"/x\"},\
     \"history\":[{\"at_ms\":1700000000000,\"action\":\"start\",\"from\":\"nobody\",\"to\":\"this node\",\"took_ms\":3}]}";

const OVERLAY_RECORD: &str = "{\"phase\":\"started\",\"at_ms\":12345,\"boot\":\"BOOT\",\"instance\":\"i-00000000000000001\",\
     \"interface\":\"eni-0123456789abcdef0\",\"mac\":\"02:00:00:00:00:01\",\"marks\":[\"rtb-00000000000000001 eni-1\"],\
     \"overlay_ip\":\"192.168.10.1\",\"vpc\":\"vpc-0a1b2c3d4e5f60718\",\"checked_ms\":12345}";

const HEALTH: &str = "{\"boot\":\"BOOT\",\"dry_runs\":{\"eip\":{\"at\":1700000000,\"parameters\":{\"elastic_ip\":\"203.0.113.10\"},\
     \"ready\":true,\"fault\":\"none\",\"reason\":\"\",\"answered\":1700000000,\"silent_since\":null}}}";

/// A file, what is right in it, and the program and the variable that make it be read.
struct TestedFile {
    file: &'static str,
    valid: String,
    program: &'static str,
    variables: Vec<(&'static str, String)>,
}

fn target(rng: &mut Rng, scene: &Scene, place: &Place) -> TestedFile {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let [ec2, imds] = scene.urls();
    let (record, durable) =
        (RECORD.replace("BOOT", boot.trim()), DURABLE.replace("EC2", &ec2).replace("IMDS", &imds));
    let profiles = PROFILES.replace("TOKEN", &place.at("token"));
    let agent = *rng.choice(&["eip", "eip", "eip", "vip", "overlay-ip", "eipctl"]).unwrap();
    let record = if agent == "overlay-ip" { OVERLAY_RECORD.replace("BOOT", boot.trim()) } else { record };
    let plain = |file, valid: &str, program| TestedFile {
        file,
        valid: valid.to_owned(),
        program,
        variables: Vec::new(),
    };
    let named = |file: &'static str, valid: &str, program, name| TestedFile {
        file,
        valid: valid.to_owned(),
        program,
        variables: vec![(name, place.at(file))],
    };
    let health = HEALTH.replace("BOOT", boot.trim());
    match rng.u8(0..22) {
        0..=2 => plain("state/volatile/vip.json", &record, agent),
        3 | 4 => plain("state/durable/vip.json", &durable, agent),
        5 => plain("state/volatile/other%3A0.json", &record, agent),
        6 => plain("state/durable/a%1B[2J.json", &durable, "eipctl"),
        7 => plain(
            "state/volatile/keepalived-203%2E0%2E113%2E10.turn",
            "{\"generation\":{\"born\":1,\"pid\":2},\"boot\":\"x\",\"told\":\"MASTER\",\"done\":true}",
            "eip-keepalived",
        ),
        8 => plain(rng.choice(&["state/volatile", "state/durable", "state"]).unwrap(), "no folder", agent),
        9 => plain("home/.awssecret", SECRET, agent),
        10 => plain("home/.aws/config", &profiles, agent),
        11 => plain("home/.aws/credentials", &profiles.replace("profile ", ""), agent),
        12 => {
            let profile = (*rng.choice(&["default", "a", "c", "none"]).unwrap()).to_owned();
            let config = place.write("home/.aws/config", profiles.as_bytes()).display().to_string();
            let variables = vec![("AWS_PROFILE", profile), ("AWS_CONFIG_FILE", config)];
            TestedFile { file: "token", valid: "a.token.of.somebody".to_owned(), program: agent, variables }
        }
        13 => {
            let role = ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x".to_owned());
            let mut target = named("token", "a.token.of.somebody", agent, "AWS_WEB_IDENTITY_TOKEN_FILE");
            target.variables.push(role);
            target
        }
        14 => {
            let full = (
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                format!("{imds}/latest/meta-data/iam/security-credentials/eip-node"),
            );
            let mut target =
                named("token", "a.token.of.somebody", agent, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
            target.variables.push(full);
            target
        }
        15 => named("ca.pem", CERTIFICATE, agent, "AWS_CA_BUNDLE"),
        16 => plain("state/volatile/vip.health", &health, "eip-health"),
        17 => plain(cluster::HISTORY, &cluster::history(), "eip-alert"),
        18 => plain(cluster::LOSS, &cluster::loss(), "eip-alert"),
        19 => plain(cluster::COROSYNC, cluster::COROSYNC_CONF, "eip-alert"),
        20 => named("elastic-ip", INIT, "elastic-ip", "ELASTIC_IP_SETTINGS"),
        _ => named("aws.conf", KEEPALIVED, "eip-keepalived", "EIP_KEEPALIVED_CONF"),
    }
}

/// The form of a certificate; whose it is does not matter.
const CERTIFICATE: &str =
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ0hBUw==\n-----END CERTIFICATE-----\n";

/// Puts something into the place of the file, and says what.
fn put(rng: &mut Rng, place: &Place, target: &TestedFile) -> String {
    let valid = target.valid.as_bytes();
    let bytes = match rng.u8(0..10) {
        0..=4 => input::mangle(rng, valid),
        5 => input::document(rng, valid),
        6 => input::bytes(rng, &[]),
        _ => {
            let path = place.path().join(target.file);
            if path.is_dir() {
                fs::remove_dir_all(&path).expect("to take the folder away");
            }
            let kind = place.put_special(target.file, rng.usize(..));
            return format!("{} is {kind}", target.file);
        }
    };
    if place.path().join(target.file).is_dir() {
        let mode = *rng.choice(&[0o777, 0o000, 0o500, 0o1777]).unwrap();
        fs::set_permissions(place.path().join(target.file), fs::Permissions::from_mode(mode))
            .expect("its mode");
        return format!("{} has mode {mode:o}", target.file);
    }
    place.write(target.file, &bytes);
    format!(
        "{} has {} bytes: {}",
        target.file,
        bytes.len(),
        String::from_utf8_lossy(&bytes).escape_debug().take(300).collect::<String>()
    )
}

fn prepare(call: AgentCall, target: &TestedFile) -> AgentCall {
    let call = target.variables.iter().fold(call, |call, (name, value)| call.set(name, value));
    call.set("OCF_RESKEY_CRM_meta_interval", "10000")
}

fn case(scene: &Scene, rng: &mut Rng) -> Result<HostileOutcome, String> {
    let place = scene.place();
    let target = target(rng, scene, &place);
    let words =
        if target.program == "eip" && rng.bool() { vec!["start"] } else { asked(rng, target.program) };
    let call = prepare(scene.call(target.program, &words, &place), &target);
    let call = if target.file == cluster::COROSYNC { cluster::with_corosync(call, &place) } else { call };
    let put = put(rng, &place, &target);
    let ended = call.run();
    verdict::judge(&call, &ended, allowed(target.program)).map_err(|wrong| format!("{wrong}--- {put}"))
}

#[test]
fn whatever_is_in_the_files() {
    let Some(scene) = Scene::new() else { return };
    seed::run("files", 360, |rng| case(&scene, rng));
}
