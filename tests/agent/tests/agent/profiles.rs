//! Profiles and other credential sources that can be misconfigured: if a configured one fails, that is an error in its own words,
//! never a reason to act as the instance's role.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use agent_tests::{Isolation, Node, Proxy, Run, RunOutcome, SimulatedWorld, each};
use aws_sim::{CredState, Fault, FaultKind, ImdsState, Service};

use crate::credentials::{KNOWN, ROLE, account, answering, container, start, write_private};
use crate::trouble::SHORT_MS;

/// A node whose instance has a role that could do everything, with this text in its `~/.aws/config`.
fn node(config: impl AsRef<[u8]>) -> (SimulatedWorld, Node) {
    let (world, a) = account(true);
    write_config(&a, config);
    (world, a)
}

fn write_config(node: &Node, config: impl AsRef<[u8]>) {
    write_private(&node.home().join(".aws/config"), config);
}

/// A program that a profile can name.
fn program(node: &Node, script: &str) -> PathBuf {
    let path = node.folder().join("helper");
    agent_tests::write_program(&path, &format!("#!/bin/sh\n{script}\n"));
    path
}

fn printing(key: (&str, &str)) -> String {
    format!(r#"printf '{{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s"}}' '{}' '{}'"#, key.0, key.1)
}

/// [cred-1] [cred-6]
#[test]
fn a_named_profile_that_cannot_be_followed_is_never_replaced_by_the_instances_role() {
    // The agent's own crate tests everything else that can't be followed.
    let rows: [(&str, &[u8], &str); 3] = [
        ("sso", b"[profile web]\nsso_start_url = https://x\nsso_region = eu-west-1\n", "sso_start_url"),
        ("other profile", b"[profile other]\nregion = eu-west-1\n", "no profile web"),
        ("not text", b"[profile web]\nregion = \xff\n", "not UTF-8 text"),
    ];
    each(rows.map(|(name, config, reason)| (name, (config, reason))), |(config, reason)| {
        let (world, a) = node(config);
        start(&a).param("profile", "web").expect(4).reason(reason).wrote_nothing();
        start(&a).env("AWS_PROFILE", "web").expect(4).reason(reason);
        a.validate().param("profile", "web").env("OCF_CHECK_LEVEL", "10").expect(4).reason(reason);
        world.is_unassigned();
    });
}

#[test]
fn half_a_pair_of_keys_in_the_environment_is_an_error() {
    let (_world, a) = node("");
    let outcome = start(&a).env("AWS_ACCESS_KEY_ID", KNOWN.0).expect(4);
    // Nothing repairs it while the action waits.
    outcome.reason("AWS_SECRET_ACCESS_KEY is not set").within(Duration::from_secs(2));
    start(&a).env("AWS_SECRET_ACCESS_KEY", KNOWN.1).expect(4).reason("AWS_ACCESS_KEY_ID is not set");
}

#[test]
fn a_container_that_is_set_up_wrong_is_an_error() {
    let (_world, a) = node("");
    let uri = "http://203.0.113.1/keys";
    start(&a)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
        .expect(4)
        .reason("no credentials from the container");
}

/// IAM Roles Anywhere needs it.
#[test]
fn credential_process_gives_the_key_and_no_shell_reads_its_line() {
    let (world, a) = node("");
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    let arguments = a.folder().join("arguments");
    let helper = program(&a, &format!("printf '%s\\n' \"$@\" >{}\n{}", arguments.display(), printing(KNOWN)));
    let planted = a.folder().join("planted");
    let line = format!("{} 'one argument' $(touch {}) a;b", helper.display(), planted.display());
    write_config(&a, format!("[profile web]\ncredential_process = {line}\n"));
    start(&a).param("profile", "web").ok();
    world.held_by(&a);
    let got = fs::read_to_string(arguments).unwrap();
    assert_eq!(got, format!("one argument\n$(touch\n{})\na;b\n", planted.display()));
    assert!(!planted.exists());
}

#[test]
fn credential_process_is_the_source_of_a_role() {
    let (world, a) = node("");
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    let helper = program(&a, &printing(KNOWN));
    let config = format!(
        "[profile web]\nrole_arn = {ROLE}\nsource_profile = base\nrole_session_name = n1\n\
         [profile base]\ncredential_process = {}\n",
        helper.display()
    );
    write_config(&a, config);
    let outcome = start(&a).param("profile", "web").ok();
    let assumed = outcome.requests.iter().find(|request| request.operation == "AssumeRole").unwrap();
    assert_eq!(assumed.params["RoleSessionName"], "n1");
    world.held_by(&a);
}

#[test]
fn credential_process_that_fails_is_quoted() {
    let rows = [
        ("complaint", "echo more >&2; echo no certificate >&2; exit 3", "exit status: 3: no certificate"),
        ("garbage", "echo '<html>'", "its output is not a JSON object with credentials"),
        ("version", r#"echo '{"Version":2}'"#, "Version 2, expected 1"),
    ];
    each(rows.map(|(name, script, reason)| (name, (script, reason))), |(script, reason)| {
        let (_world, a) = node("");
        let helper = program(&a, script);
        write_config(&a, format!("[default]\ncredential_process = {}\n", helper.display()));
        start(&a).expect(4).reason(reason);
    });
    let (_world, a) = node("[default]\ncredential_process = /nowhere/helper\n");
    start(&a).expect(4).reason("/nowhere/helper: No such file");
}

#[test]
fn credential_process_that_hangs_does_not_hold_the_action_up() {
    let (_world, a) = node("");
    let helper = program(&a, "exec sleep 1000");
    write_config(&a, format!("[default]\ncredential_process = {}\n", helper.display()));
    start(&a).expect(1).within(Duration::from_millis(SHORT_MS));
}

/// [cred-2]
#[test]
fn the_source_of_a_role_is_not_queried_through_a_proxy() {
    for source in ["Ec2InstanceMetadata", "EcsContainer"] {
        let (_world, a) = node(format!("[profile web]\nrole_arn = {ROLE}\ncredential_source = {source}\n"));
        let proxy = Proxy::start();
        let run = start(&a).param("profile", "web").env("NO_PROXY", "");
        let run = run.env("HTTP_PROXY", proxy.url()).env("http_proxy", proxy.url());
        let outcome = run.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", container(&a.role_key())).go();
        let through: Vec<String> = proxy.asked();
        let source_of_keys =
            |line: &String| ["meta-data", "api/token", "/keys"].iter().any(|part| line.contains(part));
        // The calls for which the keys are used go there.
        assert!(!through.is_empty() && !through.iter().any(source_of_keys), "{source}: {through:?}");
        let asked = !outcome.imds("/iam/security-credentials/node").is_empty();
        assert_eq!(asked, source == "Ec2InstanceMetadata", "{}", outcome.told());
    }
}

/// An administrator needs what IMDS says about the role.
#[test]
fn a_role_that_ec2_may_not_assume_is_quoted_verbatim() {
    let (world, a) = node("");
    world.cloud.set_credentials(a.id(), CredState::Unauthorized);
    let outcome = start(&a).expect(4).reason("AssumeRoleUnauthorizedAccess");
    let warnings = outcome.log.matches("WARN").count();
    assert!(warnings <= 1, "{}", outcome.log);
}

#[test]
fn metadata_switched_off_for_credentials_is_named_in_the_reason() {
    let (_world, a) = node("");
    start(&a).env("AWS_EC2_METADATA_DISABLED", "true").expect(4).reason("AWS_EC2_METADATA_DISABLED is true");
}

/// Users of `awseip` configure a VPC endpoint there, because it has no parameter for one.
#[test]
fn endpoints_in_the_profile_are_honoured() {
    // Where the agent could not reach the real ones.
    let Some(isolation) = Isolation::new("") else { return };
    let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let [ec2, imds] = a.endpoints();
    let config = format!(
        "[default]\nservices = here\nendpoint_url = http://127.0.0.1:1\nec2_metadata_service_endpoint = {imds}\n\
         [services here]\nec2 =\n  endpoint_url = {ec2}\n"
    );
    write_config(&a, config);
    let by_profile = |run: Run| {
        let run = run.no_param("endpoint_url").no_param("imds_endpoint");
        run.no_env("AWS_ENDPOINT_URL_EC2").no_env("AWS_EC2_METADATA_SERVICE_ENDPOINT")
    };
    by_profile(start(&a)).ok();
    world.held_by(&a);
    by_profile(a.settled_monitor()).ok().ec2_calls(0);
    by_profile(a.stop()).timeout_ms(SHORT_MS).ok();
    world.is_unassigned();
}

/// [imds-3]
#[test]
fn a_metadata_service_that_needs_more_than_a_second_is_waited_for() {
    let (world, a) = node("");
    world.cloud.fault(Fault::new(Service::Imds, FaultKind::Delay(Duration::from_millis(1300))));
    a.start().timeout_ms(30_000).ok();
    world.held_by(&a);
}

/// [time-3]
#[test]
fn a_monitor_of_two_seconds_queries_ec2_while_the_metadata_is_slow() {
    let (world, a) = node("");
    a.start().ok();
    world.cloud.set_imds_state(a.id(), ImdsState::Hang);
    let run = a.settled_monitor().timeout_ms(2_000).param("region", "eu-west-1").secret(KNOWN.1);
    let run = run.env("AWS_ACCESS_KEY_ID", KNOWN.0).env("AWS_SECRET_ACCESS_KEY", KNOWN.1);
    let asks = |outcome: RunOutcome| outcome.code == 0 && !outcome.calls("DescribeAddresses").is_empty();
    // A busy machine can leave too little time for one of them.
    assert!((0..5).any(|_| asks(run.clone().go())), "{}", run.go().told());
}

#[test]
fn an_answer_of_ec2_that_does_not_come_is_distinguished_from_a_connection_that_does_not_come() {
    let (world, a) = node("");
    world.cloud.fault(Fault::new(Service::Ec2, FaultKind::Hang));
    let outcome = start(&a).expect(1).reason("no answer in time");
    assert!(!outcome.log.contains("no connection"), "{}", outcome.log);
}

/// [code-2] EC2 lists them without a public address, and instance metadata does not show them.
#[test]
fn customer_owned_and_carrier_addresses_are_refused_at_once() {
    let rows = [
        ("customerOwnedIp", "a customer-owned address, not an Elastic IP"),
        ("carrierIp", "a carrier address, not an Elastic IP"),
    ];
    each(rows.map(|row| (row.0, row)), |(item, reason)| {
        let (_world, a) = node("");
        let id = &a.address.allocation_id;
        let body = format!(
            "<DescribeAddressesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><addressesSet>\
             <item><allocationId>{id}</allocationId><domain>vpc</domain><{item}>198.51.100.7</{item}></item>\
             </addressesSet></DescribeAddressesResponse>"
        );
        let ec2 = answering(body);
        let outcome = a.start().by_allocation().ec2_at(&ec2).expect(2).reason(reason);
        outcome.within(Duration::from_secs(6));
        a.validate().by_allocation().ec2_at(&ec2).expect(2).reason(reason);
    });
}
