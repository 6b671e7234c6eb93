//! The keepalived face: the name `eip-keepalived`, as keepalived's scripts and checks call it, and as a person does.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use agent_tests::{Isolation, Node, Run, World, each};
use aws_sim::{Address, CredState, FaultKind, ImdsState};

use crate::trouble::{break_ec2, ec2};

/// What the settings file says where a test is not about it: no look after the claim.
const USUAL: &str = "VERIFY=0\n";
/// Limit for something that goes on in a process of its own.
const SOON: Duration = Duration::from_secs(20);

/// Prepares a call without an OCF cluster around it, on a node whose settings file has this text.
fn call(node: &Node, settings: &str, arguments: &[&str]) -> Run {
    let file = node.folder().join("aws.conf");
    fs::write(&file, settings).unwrap();
    let mut run = node.run("").called("eip-keepalived");
    for name in ["ROOT", "RA_VERSION_MAJOR", "RA_VERSION_MINOR", "EXIT_REASON_PREFIX"] {
        run = run.no_env(&format!("OCF_{name}"));
    }
    for name in ["INSTANCE", "TYPE", "PROVIDER"] {
        run = run.no_env(&format!("OCF_RESOURCE_{name}"));
    }
    run = run.no_param("crm_feature_set").no_param("CRM_meta_on_node").no_param("elastic_ip");
    run = run.env("EIP_KEEPALIVED_CONF", file.display().to_string());
    // This one is the harness's: for how long it waits.
    run = run.timeout_ms(40_000);
    for argument in arguments {
        run = run.argument(argument);
    }
    run
}

/// Prepares what keepalived runs for `notify "eip-keepalived 203.0.113.10"`.
fn notify(node: &Node, state: &str) -> Run {
    call(node, USUAL, &["203.0.113.10", "INSTANCE", "VI_1", state, "100"])
}

fn word(node: &Node, word: &str) -> Run {
    call(node, USUAL, &["203.0.113.10", word])
}

/// Gives the node an address of its own, on the private address that the floating one goes to.
fn own_address(world: &World, node: &Node) -> Address {
    let own = world.cloud.allocate(Some([203, 0, 113, 50].into()));
    world.cloud.associate(&own, node.eni(), None);
    own
}

fn has(world: &World, node: &Node, address: &Address) -> bool {
    world.cloud.holder(address).is_some_and(|holder| holder.instance == *node.id())
}

/// Returns the last word on record on a node.
fn turn(node: &Node) -> String {
    fs::read_to_string(node.state().join("volatile/keepalived-203.0.113.10.turn")).unwrap_or_default()
}

/// Waits until the node has a word of this state on record.
fn wait_for_turn(world: &World, node: &Node, state: &str) {
    world.wait(SOON, |_| turn(node).contains(state));
}

fn refused(name: &str) -> aws_sim::FaultKind {
    FaultKind::Error { status: 400, code: name.to_owned(), message: "no".to_owned() }
}

#[test]
fn master_claims_in_every_form() {
    let forms: [(&str, &[&str]); 8] = [
        ("notify", &["203.0.113.10", "INSTANCE", "VI_1", "MASTER", "100"]),
        ("notify of a group", &["203.0.113.10", "GROUP", "VG_1", "MASTER", "0"]),
        ("an old keepalived without priority", &["203.0.113.10", "INSTANCE", "VI_1", "MASTER"]),
        ("the article's form", &["203.0.113.10", "start"]),
        ("a word", &["203.0.113.10", "master"]),
        ("the word first", &["MASTER", "203.0.113.10"]),
        ("a priority of a lower peer seen", &["203.0.113.10", "master_rx_lower_pri"]),
        ("a parameter beside it", &["elastic_ip=203.0.113.10", "interface=0", "start"]),
    ];
    each(forms, |arguments| {
        let (world, [a]) = World::new();
        let outcome = call(&a, USUAL, arguments).ok().logged(&["INFO", "MASTER: 203.0.113.10 is here"]);
        world.held_by(&a);
        let says = if arguments.contains(&"start") || arguments.len() == 2 { "started\n" } else { "" };
        assert_eq!(outcome.stdout, says);
        // Once more changes nothing.
        call(&a, USUAL, arguments).ok().wrote_nothing();
    });
}

#[test]
fn the_script_is_also_served_under_its_old_name() {
    let (world, [a]) = World::new();
    word(&a, "start").called("vrrp.sh").ok();
    world.held_by(&a);
    assert_eq!(word(&a, "status").called("vrrp.sh").ok().stdout, "OK\n");
    assert_eq!(word(&a, "stop").called("vrrp.sh").ok().stdout, "stopped\n");
    world.held_by(&a);
}

#[test]
fn a_caller_that_cannot_choose_the_name_says_it() {
    let (world, [a]) = World::new();
    call(&a, USUAL, &["--called-as=eip-keepalived", "203.0.113.10", "start"]).called("eip").ok();
    world.held_by(&a);
    call(&a, USUAL, &["--called-as=eip-keepalived", "203.0.113.10", "strat"]).called("eip").expect(2);
}

#[test]
fn losing_states_leave_the_address_and_ask_nobody() {
    each(["BACKUP", "FAULT", "STOP", "DELETED"].map(|state| (state, state)), |state| {
        let (world, [a]) = World::new();
        notify(&a, "MASTER").ok();
        notify(&a, state).ok().no_requests().logged(&["INFO", "left to who takes it"]);
        world.held_by(&a);
        // The next word is obeyed without an order: the address is here.
        notify(&a, "MASTER").ok().wrote_nothing();
    });
}

#[test]
fn losing_states_let_go_where_the_settings_say_so() {
    let rows = [("BACKUP", "ON_BACKUP"), ("FAULT", "ON_FAULT"), ("STOP", "ON_STOP")];
    each(rows.map(|row| (row.0, row)), |(state, setting)| {
        let (world, [a, b]) = World::new();
        let settings = format!("VERIFY=0\n{setting}=release\n");
        let arguments = ["203.0.113.10", "INSTANCE", "VI_1", state, "100"];
        notify(&a, "MASTER").ok();
        call(&a, &settings, &arguments).ok();
        world.held_by_nobody();
        for (other, _) in rows.iter().filter(|(other, _)| *other != state) {
            notify(&a, "MASTER").ok();
            call(&a, &settings, &["203.0.113.10", "INSTANCE", "VI_1", other, "100"]).ok();
            world.held_by(&a);
        }
        // What the peer has is the peer's.
        notify(&b, "MASTER").ok();
        call(&a, &settings, &arguments).ok().wrote_nothing();
        world.held_by(&b);
    });
}

#[test]
fn the_loser_gets_its_own_address_back_when_the_peer_has_taken_the_floating_one() {
    each(["BACKUP", "FAULT", "STOP"].map(|state| (state, state)), |state| {
        let (world, [a, b]) = World::new();
        let own = own_address(&world, &a);
        notify(&a, "MASTER").ok();
        assert_eq!(world.cloud.holder(&own), None, "there is room for one");
        // The peer is slower than keepalived on this node.
        let losing = notify(&a, state).spawn();
        wait_for_turn(&world, &a, state);
        notify(&b, "MASTER").ok();
        losing.wait().exits(0).logged(&["203.0.113.50", "put back"]);
        world.held_by(&b);
        assert!(has(&world, &a, &own));
    });
}

#[test]
fn what_gives_the_address_back_outlives_the_script_that_keepalived_kills() {
    let (world, [a, b]) = World::new();
    let own = own_address(&world, &a);
    notify(&a, "MASTER").ok();
    let stopping = notify(&a, "STOP").spawn();
    wait_for_turn(&world, &a, "STOP");
    // Once the process of its own has the lock it works.
    let lock = fs::File::open(a.state().join("volatile/keepalived-203.0.113.10.lock")).unwrap();
    world.wait(SOON, |_| lock.try_lock().map(|()| lock.unlock().unwrap()).is_err());
    stopping.kill();
    notify(&b, "MASTER").ok();
    world.wait(SOON, |_| has(&world, &a, &own));
    world.held_by(&b);
}

#[test]
fn with_notify_master_alone_the_loser_gets_its_address_back_too() {
    let (world, [a, b]) = World::new();
    let own = own_address(&world, &a);
    word(&a, "start").ok();
    assert_eq!(world.cloud.holder(&own), None);
    // Nobody tells node 1 anything.
    word(&b, "start").ok();
    world.wait(SOON, |_| has(&world, &a, &own));
    world.held_by(&b);
}

#[test]
fn where_nobody_takes_it_the_address_stays_and_the_deadline_ends_the_wait() {
    let (world, [a]) = World::new();
    let own = own_address(&world, &a);
    notify(&a, "MASTER").ok();
    let settings = "VERIFY=0\nDEADLINE=3\n";
    call(&a, settings, &["203.0.113.10", "INSTANCE", "VI_1", "BACKUP", "100"])
        .expect(1)
        .logged(&["WARN", "still here after", "no other node has taken it"])
        .within(Duration::from_secs(6));
    world.held_by(&a);
    assert_eq!(world.cloud.holder(&own), None);
}

#[test]
fn a_later_state_wins_over_a_claim_that_hangs_and_takes_effect_late() {
    let (world, [a, b]) = World::new();
    notify(&a, "MASTER").ok();
    notify(&b, "MASTER").ok();
    world
        .cloud
        .fault(ec2("AssociateAddress", FaultKind::Delay(Duration::from_secs(2))).instance(a.id()).times(1));
    let claim = notify(&a, "MASTER").spawn();
    world.cloud.wait_for_request(SOON, |r| r.operation == "AssociateAddress" && r.fault.is_some()).unwrap();
    let settings = "VERIFY=0\nON_BACKUP=release\n";
    let began = Instant::now();
    call(&a, settings, &["203.0.113.10", "INSTANCE", "VI_1", "BACKUP", "90"]).ok();
    // It did not end before it knew what became of the order, and then undid it.
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
    claim.wait().exits(1).logged(&["a later state has come meanwhile"]);
    world.held_by_nobody();
    assert!(turn(&a).contains("\"told\":\"BACKUP\"") && turn(&a).contains("true"), "{}", turn(&a));
}

#[test]
fn an_older_state_that_waits_for_the_lock_ends_when_a_later_one_comes() {
    let (world, [a]) = World::new();
    world.cloud.fault(ec2("AssociateAddress", FaultKind::Delay(Duration::from_secs(3))).times(1));
    let first = notify(&a, "MASTER").spawn();
    world.cloud.wait_for_request(SOON, |r| r.operation == "AssociateAddress").unwrap();
    let second = notify(&a, "BACKUP").spawn();
    wait_for_turn(&world, &a, "BACKUP");
    let third = notify(&a, "MASTER").spawn();
    second.wait().exits(1).logged(&["BACKUP: a later state has come meanwhile"]);
    first.wait().exits(1);
    third.wait().exits(0);
    world.held_by(&a);
}

#[test]
fn flapping_ends_in_the_state_that_was_told_last() {
    let states = ["MASTER", "BACKUP"];
    each([("ends as master", 0), ("ends as backup", 1)], |last: usize| {
        let (world, [a]) = World::new();
        world.cloud.set_latency(Duration::from_millis(150));
        let settings = "VERIFY=0\nON_BACKUP=release\n";
        // As keepalived does: one after the other, none of them waited for.
        let all: Vec<_> = (0..6)
            .map(|index| {
                let state = states[(index + last + 1) % 2];
                call(&a, settings, &["203.0.113.10", "INSTANCE", "VI_1", state, "100"]).spawn()
            })
            .collect();
        let mut codes: Vec<i32> = all.into_iter().map(|running| running.wait().code).collect();
        assert_eq!(codes.pop(), Some(0), "the last one is done");
        assert!(turn(&a).contains(states[last]), "{}", turn(&a));
        if last == 0 {
            world.held_by(&a);
        } else {
            world.held_by_nobody();
        }
    });
}

#[test]
fn a_script_that_is_killed_holds_nobody_up() {
    let (world, [a]) = World::new();
    world.cloud.fault(ec2("AssociateAddress", FaultKind::Hang).times(1));
    let hung = notify(&a, "MASTER").spawn();
    world.cloud.wait_for_request(SOON, |r| r.operation == "AssociateAddress").unwrap();
    hung.kill();
    notify(&a, "MASTER").ok();
    world.held_by(&a);
}

#[test]
fn an_older_order_of_the_peer_that_is_carried_out_late_is_corrected() {
    let (world, [a, b]) = World::new();
    notify(&b, "MASTER").ok();
    let arguments = ["203.0.113.10", "INSTANCE", "VI_1", "MASTER", "100"];
    let claim = call(&a, "VERIFY=5\n", &arguments).spawn();
    // Not while it makes sure of the claim: that is another way of taking it again.
    world.wait(SOON, |_| turn(&a).contains("true"));
    world.give(&b);
    claim.wait().exits(0).logged(&["WARN", "taking it again"]);
    world.held_by(&a);
}

#[test]
fn who_is_not_told_of_the_loss_looks_for_a_shorter_time() {
    let (world, [a, b]) = World::new();
    call(&a, "VERIFY=10\n", &["203.0.113.10", "start"]).ok().within(Duration::from_secs(8));
    world.give(&b);
    world.held_by(&b);
}

#[test]
fn two_masters_do_not_take_it_from_each_other_for_ever() {
    let (world, [a, b]) = World::new();
    let arguments = ["203.0.113.10", "INSTANCE", "VI_1", "MASTER", "100"];
    let claims = [&a, &b].map(|node| call(node, "VERIFY=3\nDEADLINE=9\n", &arguments).spawn());
    for claim in claims {
        let outcome = claim.wait();
        assert!(matches!(outcome.code, 0 | 1), "{}", outcome.told());
    }
    // Each claims three times, and takes it back twice.
    let moves = world.cloud.history(&world.address).len();
    assert!(moves <= 12, "{moves} moves");
    assert!(world.cloud.holder(&world.address).is_some());
}

#[test]
fn the_constants_of_the_article_choose_address_and_interface() {
    let (world, [a]) = World::new();
    let eni = a.instance.interfaces[1].eni.to_string();
    let constants = format!(
        "VERIFY=0\n# per host\nENI_ID=\"{eni}\"\nALOC_ID=\"{}\"\nINST_ID=\"{}\"\nEC2_HOME=/opt/ec2\n",
        world.address.allocation_id,
        a.id()
    );
    call(&a, &constants, &["203.0.113.10", "start"]).ok().not_logged("WARN");
    world.held_at(&a, a.ip(2));
    // Without an argument it is ALOC_ID's.
    assert_eq!(call(&a, &constants, &["status"]).ok().stdout, "OK\n");
    let other = constants.replace(&a.id().to_string(), "i-0000000000000000f");
    call(&a, &other, &["203.0.113.10", "start"]).ok().logged(&["WARN", "INST_ID"]);
    let missing = constants.replace(&eni, "eni-0000000000000000f");
    call(&a, &missing, &["203.0.113.10", "start"]).expect(1).logged(&["ERROR", "eni-0000000000000000f"]);
}

#[test]
fn keys_of_the_settings_file_are_used_and_never_shown() {
    let (world, [a]) = World::new();
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
    quiet.argument("203.0.113.10").argument("start").timeout_ms(40_000).ok().not_logged("everybody may read");
}

#[test]
fn the_settings_file_is_read_and_never_run() {
    let (world, [a]) = World::new();
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
fn a_call_that_makes_no_sense_is_refused_with_one_line_that_says_what_would() {
    let rows: [(&str, &str, &[&str], &str); 12] = [
        ("nothing", USUAL, &[], "no action: expected start"),
        ("no action", USUAL, &["203.0.113.10"], "no action: expected start"),
        ("a slip", USUAL, &["203.0.113.10", "strat"], "strat: expected an address"),
        (
            "no state",
            USUAL,
            &["203.0.113.10", "INSTANCE", "VI_1", "MISTER", "1"],
            "MISTER: expected the state",
        ),
        ("two actions", USUAL, &["203.0.113.10", "start", "stop"], "stop: one action"),
        ("no address", USUAL, &["start"], "no address: give it before the action"),
        ("the article's mask", USUAL, &["54.192.x.x", "start"], "elastic_ip=54.192.x.x: expected"),
        ("no parameter", USUAL, &["colour=red", "start"], "colour=red: there is no such parameter"),
        (
            "a bad value",
            USUAL,
            &["203.0.113.10", "allow_reassociation=maybe", "start"],
            "expected true or false",
        ),
        (
            "a bad setting",
            "ON_STOP=keep\n",
            &["203.0.113.10", "start"],
            "ON_STOP=keep: expected leave or release",
        ),
        ("a bad time", "DEADLINE=0\n", &["203.0.113.10", "start"], "DEADLINE=0: expected a whole number"),
        ("a quote", "ENI_ID='x\n", &["203.0.113.10", "start"], "line 1: a quote"),
    ];
    each(rows.map(|row| (row.0, row)), |(_, settings, arguments, part)| {
        let (_world, [a]) = World::new();
        let outcome = call(&a, settings, arguments).expect(2).no_requests();
        let line = outcome.stderr.lines().next().unwrap_or_default();
        assert!(line.starts_with("eip-keepalived: ") && line.contains(part), "{}", outcome.told());
    });
}

#[test]
fn a_settings_file_that_others_may_write_or_this_user_may_not_read_is_refused() {
    let (world, [a]) = World::new();
    let file = a.folder().join("aws.conf");
    let run = call(&a, USUAL, &["203.0.113.10", "start"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let outcome = run.clone().expect(2);
    assert!(outcome.stderr.contains("others may write to it"), "{}", outcome.told());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let outcome = if fs::File::open(&file).is_ok() { run.as_nobody() } else { run }.expect(2);
    assert!(outcome.stderr.contains("may not read it"), "{}", outcome.told());
    world.held_by_nobody();
}

#[test]
fn a_claim_that_is_refused_says_so_and_ends() {
    let (world, [a]) = World::new();
    world.cloud.deny("AssociateAddress");
    notify(&a, "MASTER").expect(1).logged(&["ERROR", "UnauthorizedOperation"]);
    world.held_by_nobody();
    assert!(turn(&a).contains("false"), "{}", turn(&a));
    world.cloud.allow("AssociateAddress");
    world.cloud.fault(ec2("AssociateAddress", refused("InvalidParameterValue")));
    notify(&a, "MASTER").expect(1);
}

#[test]
fn with_ec2_silent_a_claim_ends_at_its_own_deadline() {
    let (world, [a]) = World::new();
    break_ec2(&world.cloud, FaultKind::Hang);
    let arguments = ["203.0.113.10", "INSTANCE", "VI_1", "MASTER", "100"];
    call(&a, "DEADLINE=4\n", &arguments)
        .expect(1)
        .within(Duration::from_secs(5))
        .not_before(Duration::from_secs(2));
}

#[test]
fn a_check_on_a_standby_needs_no_ec2() {
    let (world, [a]) = World::new();
    break_ec2(&world.cloud, FaultKind::Hang);
    word(&a, "check").ok().ec2_calls(0).logged(&["check: this node is well"]);
    notify(&a, "BACKUP").ok();
    // What has not changed is not said again.
    word(&a, "check").ok().ec2_calls(0).not_logged("check");
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    word(&a, "check").expect(1).ec2_calls(0).logged(&["ERROR", "could not take the address"]);
    word(&a, "check").expect(1).not_logged("check");
    world.cloud.set_credentials(a.id(), CredState::Valid);
    word(&a, "check").ok().logged(&["check: this node is well"]);
    for state in [ImdsState::Hang, ImdsState::Refuse, ImdsState::Off403] {
        world.cloud.set_imds_state(a.id(), state);
        word(&a, "check").expect(1).ec2_calls(0).within(Duration::from_secs(3));
    }
}

#[test]
fn a_check_on_the_master_is_about_the_address() {
    let (world, [a, b]) = World::new();
    notify(&a, "MASTER").ok();
    word(&a, "check").ok().ec2_calls(0);
    // The metadata lag: EC2 knows better.
    world.cloud.set_imds_lag(a.id(), Duration::from_mins(10));
    notify(&b, "MASTER").ok();
    word(&a, "check").ok().ec2_calls(0);
    world.cloud.set_imds_lag(a.id(), Duration::ZERO);
    word(&a, "check").expect(1).logged(&["ERROR", "203.0.113.10 is held by", b.id().as_ref()]);
    notify(&a, "MASTER").ok();
    world.cloud.set_imds_state(a.id(), ImdsState::Hang);
    break_ec2(&world.cloud, FaultKind::Hang);
    word(&a, "check").ok().logged(&["WARN", "the holder is not known"]).within(Duration::from_secs(3));
}

#[test]
fn a_check_during_a_claim_waits_for_nobody() {
    let (world, [a]) = World::new();
    world.cloud.fault(ec2("AssociateAddress", FaultKind::Delay(Duration::from_secs(2))).times(1));
    let claim = notify(&a, "MASTER").spawn();
    world.cloud.wait_for_request(SOON, |r| r.operation == "AssociateAddress").unwrap();
    word(&a, "check").ok().no_requests();
    claim.wait().exits(0);
}

#[test]
fn status_prints_the_articles_words_as_ec2_has_it() {
    let (world, [a]) = World::new();
    assert_eq!(word(&a, "status").expect(1).stdout, "FAIL\n");
    word(&a, "start").ok();
    assert_eq!(word(&a, "status").ok().stdout, "OK\n");
    world.cloud.deny("DescribeAddresses");
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    assert_eq!(word(&a, "status").expect(1).stdout, "FAIL\n");
}

#[test]
fn help_and_version_need_nothing() {
    let (_world, [a]) = World::new();
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
fn a_script_user_without_a_state_folder_is_told_and_claims_all_the_same() {
    let (world, [a]) = World::new();
    let run = call(&a, USUAL, &["203.0.113.10", "INSTANCE", "VI_1", "MASTER", "100"]);
    // A file where the folder should be, as for a user that may not write there.
    fs::write(a.folder().join("blocked"), "").unwrap();
    let blocked = a.folder().join("blocked/state").display().to_string();
    run.env("EIP_STATE_DIR", blocked).ok().logged(&["WARN", "state folder can't be used", "STATE_DIR"]);
    world.held_by(&a);
}

#[test]
fn no_environment_at_all_is_enough() {
    let Some(isolation) = Isolation::new("") else { return };
    let (world, [a]) = World::setup().inside(isolation).make();
    let text = format!(
        "VERIFY=0\nENDPOINT_URL=http://{}\nIMDS_ENDPOINT=http://{}\nHA_LOGFILE={}\n",
        a.ec2,
        a.imds,
        a.folder().join("log/own").display()
    );
    let isolation = world.isolation().unwrap();
    // keepalived's default file, as a node has it.
    let conf = isolation.folder().write("aws.conf", &text);
    fs::set_permissions(&conf, fs::Permissions::from_mode(0o600)).unwrap();
    let run =
        a.run("").called("eip-keepalived").bare().env("EIP_KEEPALIVED_CONF", conf.display().to_string());
    run.argument("203.0.113.10").argument("INSTANCE").argument("VI_1").argument("MASTER").ok();
    world.held_by(&a);
    assert!(isolation.outside("/run/resource-agents/eip/keepalived-203.0.113.10.turn").exists());
    assert!(isolation.outside("/var/lib/eip/keepalived-203.0.113.10.json").exists());
}
