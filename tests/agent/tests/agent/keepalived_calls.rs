//! How `eip-keepalived` is called: its names, its settings file, its environment, and invalid calls.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use agent_tests::{Isolation, SimulatedWorld, each};
use aws_sim::CredState;

use crate::keepalived_world::*;

#[test]
fn the_script_is_also_served_under_its_old_name() {
    let (world, [a]) = SimulatedWorld::new();
    word(&a, "start").called("vrrp.sh").ok();
    world.held_by(&a);
    assert_eq!(word(&a, "status").called("vrrp.sh").ok().stdout, "OK\n");
    assert_eq!(word(&a, "stop").called("vrrp.sh").ok().stdout, "stopped\n");
    world.held_by(&a);
}

#[test]
fn a_caller_that_cannot_choose_the_name_passes_it_on() {
    let (world, [a]) = SimulatedWorld::new();
    call(&a, USUAL, &["--called-as=eip-keepalived", "203.0.113.10", "start"]).called("eip").ok();
    world.held_by(&a);
    call(&a, USUAL, &["--called-as=eip-keepalived", "203.0.113.10", "strat"]).called("eip").expect(2);
}

#[test]
fn the_constants_of_the_article_choose_address_and_interface() {
    let (world, [a]) = SimulatedWorld::new();
    let eni = a.instance.interfaces[1].eni.to_string();
    let constants = format!(
        "VERIFY=0\n# per host\nENI_ID=\"{eni}\"\nALOC_ID=\"{}\"\nINST_ID=\"{}\"\nEC2_HOME=/opt/ec2\n",
        world.address.allocation_id,
        a.id()
    );
    call(&a, &constants, &["203.0.113.10", "start"]).ok().not_logged("WARN");
    world.held_at(&a, a.ip(2));
    // Without an argument it uses ALOC_ID.
    assert_eq!(call(&a, &constants, &["status"]).ok().stdout, "OK\n");
    let other = constants.replace(&a.id().to_string(), "i-0000000000000000f");
    call(&a, &other, &["203.0.113.10", "start"]).ok().logged(&["WARN", "INST_ID"]);
    let missing = constants.replace(&eni, "eni-0000000000000000f");
    call(&a, &missing, &["203.0.113.10", "start"]).expect(1).logged(&["ERROR", "eni-0000000000000000f"]);
}

#[test]
fn keys_of_the_settings_file_are_used_and_never_shown() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.add_access_key("AKIDOFTHEARTICLE", "the-secret-of-the-article");
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    word(&a, "start").expect(1);
    for keys in [
        "export AWS_ACCESS_KEY=AKIDOFTHEARTICLE\nexport AWS_SECRET_KEY='the-secret-of-the-article'\n",
        "AWS_ACCESS_KEY_ID=AKIDOFTHEARTICLE\nAWS_SECRET_ACCESS_KEY=the-secret-of-the-article\n",
    ] {
        let settings = format!("VERIFY=0\n{keys}");
        call(&a, &settings, &["203.0.113.10", "start"]).secret("the-secret-of-the-article").ok();
        world.held_by(&a);
        call(&a, &settings, &["203.0.113.10", "check"]).ok();
    }
    let file = a.folder().join("aws.conf");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let quiet = a.run("").called("eip-keepalived").env("EIP_KEEPALIVED_CONF", file.display().to_string());
    quiet.arguments(&["203.0.113.10", "start"]).timeout_ms(40_000).ok().not_logged("world-readable");
}

#[test]
fn the_settings_file_is_read_and_never_run() {
    let (world, [a]) = SimulatedWorld::new();
    let proof = a.folder().join("was-run");
    let path = proof.display();
    let text = format!(
        "VERIFY=0\ntouch {path}\n. /lib/lsb/init-functions\n[ -f x ] && touch {path}\nX=$(touch {path})\n"
    );
    call(&a, &text, &["203.0.113.10", "start"]).ok().logged(&["WARN", "line 2 ignored"]);
    world.held_by(&a);
    let text = format!("ENI_ID=$(touch {path}; echo eni-1)\n");
    call(&a, &text, &["203.0.113.10", "start"]).expect(2).no_requests();
    assert!(!proof.exists());
}

#[test]
fn an_invalid_call_is_refused_with_one_line_on_what_would() {
    // The agent's own crate tests all other refusals.
    let rows: [(&str, &str, &[&str], &str); 5] = [
        ("nothing", USUAL, &[], "no action: expected start"),
        ("no address", USUAL, &["start"], "no address: give it before the action"),
        ("the article's mask", USUAL, &["54.192.x.x", "start"], "elastic_ip=54.192.x.x: expected"),
        (
            "a bad value",
            USUAL,
            &["203.0.113.10", "allow_reassociation=maybe", "start"],
            "expected true or false",
        ),
        ("a quote", "ENI_ID='x\n", &["203.0.113.10", "start"], "line 1: a quote"),
    ];
    each(rows.map(|row| (row.0, row)), |(_, settings, arguments, part)| {
        let (_world, [a]) = SimulatedWorld::new();
        let outcome = call(&a, settings, arguments).expect(2).no_requests();
        let line = outcome.stderr.lines().next().unwrap_or_default();
        assert!(line.starts_with("eip-keepalived: ") && line.contains(part), "{}", outcome.told());
    });
}

#[test]
fn a_settings_file_that_others_may_write_or_this_user_may_not_read_is_refused() {
    let (world, [a]) = SimulatedWorld::new();
    let file = a.folder().join("aws.conf");
    let run = call(&a, USUAL, &["203.0.113.10", "start"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let outcome = run.clone().expect(2);
    assert!(outcome.stderr.contains("writable by others"), "{}", outcome.told());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let outcome = if fs::File::open(&file).is_ok() { run.as_nobody() } else { run }.expect(2);
    assert!(outcome.stderr.contains("not readable by this user"), "{}", outcome.told());
    world.is_unassigned();
}

#[test]
fn help_and_version_need_nothing() {
    let (_world, [a]) = SimulatedWorld::new();
    for argument in ["--help", "help", "-h"] {
        let outcome = call(&a, USUAL, &[argument]).ok().no_requests();
        assert!(outcome.stdout.starts_with("usage: eip-keepalived"), "{}", outcome.told());
    }
    let version = call(&a, USUAL, &["--version"]).ok().stdout;
    assert!(
        version.starts_with("eip ") && version.trim().ends_with(|c: char| c.is_ascii_digit()),
        "{version}"
    );
}

#[test]
fn a_script_user_without_a_state_folder_is_warned_and_claims_all_the_same() {
    let (world, [a]) = SimulatedWorld::new();
    let run = notify(&a, "MASTER");
    // A file in place of the folder, as for a user that must not write there.
    fs::write(a.folder().join("blocked"), "").unwrap();
    let blocked = a.folder().join("blocked/state").display().to_string();
    run.env("EIP_STATE_DIR", blocked).ok().logged(&["WARN", "cannot use the state directory", "STATE_DIR"]);
    world.held_by(&a);
}

#[test]
fn no_environment_at_all_is_enough() {
    let Some(isolation) = Isolation::new("") else { return };
    let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let text = format!(
        "VERIFY=0\nENDPOINT_URL=http://{}\nIMDS_ENDPOINT=http://{}\nHA_LOGFILE={}\n",
        a.ec2,
        a.imds,
        a.folder().join("log/own").display()
    );
    let isolation = world.isolation().unwrap();
    // keepalived's default file, as it is on a node.
    let conf = isolation.folder().write("aws.conf", &text);
    fs::set_permissions(&conf, fs::Permissions::from_mode(0o600)).unwrap();
    let run =
        a.run("").called("eip-keepalived").bare().env("EIP_KEEPALIVED_CONF", conf.display().to_string());
    run.arguments(&["203.0.113.10", "INSTANCE", "VI_1", "MASTER"]).ok();
    world.held_by(&a);
    assert!(isolation.outside("/run/resource-agents/eip/keepalived-203.0.113.10.turn").exists());
    assert!(isolation.outside("/var/lib/eip/keepalived-203.0.113.10.json").exists());
}
