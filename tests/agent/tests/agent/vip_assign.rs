//! `eipctl assign ADDRESS INSTANCE`, and the same under the old script's name.

use agent_tests::{Node, RunOutcome, VIP, one_subnet};

use crate::vip_world::*;

/// Runs the binary on a machine that is not an instance: no metadata service answers.
fn call(node: &Node, name: &str, arguments: &[&str]) -> RunOutcome {
    let (first, rest) = arguments.split_first().unwrap();
    let run = node.run(first).called(name).arguments(rest).no_env("HA_LOGFILE").by_key();
    run.env("AWS_REGION", "eu-west-1").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9").go()
}

fn eipctl(node: &Node, arguments: &[&str]) -> RunOutcome {
    call(node, "eipctl", &[&["assign"], arguments].concat())
}

#[test]
fn it_goes_to_the_instance_that_is_named() {
    let (world, [a, b]) = one_subnet().make();
    let told = eipctl(&a, &["10.0.1.100", b.id()]).exits(0);
    assert_eq!(told.stdout, format!("10.0.1.100 assigned to {} ({})\n", b.id(), b.eni()));
    held_by(&world, &b);
    world.cloud.associate(&world.address, b.eni(), Some(VIP));
    hold_up(&world, "AssignPrivateIpAddresses");
    let told = eipctl(&a, &["10.0.1.100", a.id()]).exits(0);
    let expected = format!(
        "10.0.1.100 assigned to {} ({}), from {} ({})\nElastic IP 203.0.113.10 moves with it\n",
        a.id(),
        a.eni(),
        b.id(),
        b.eni()
    );
    assert_eq!(told.stdout, expected);
    held_by(&world, &a);
    let told = eipctl(&a, &["10.0.1.100", a.id()]).exits(0);
    assert!(told.stdout.contains("already"), "{}", told.told());
}

#[test]
fn the_interface_can_be_named() {
    let (world, [a]) = one_subnet().make();
    let second = a.instance.interfaces[1].eni.to_string();
    for name in ["1", &second] {
        world.cloud.unassign_private_ip(VIP);
        eipctl(&a, &["10.0.1.100", a.id(), "--interface", name]).exits(0);
        assert_eq!(world.cloud.private_holder(VIP).unwrap().1.to_string(), second);
    }
    let told = eipctl(&a, &["10.0.1.100", a.id(), "--interface", "7"]).exits(1);
    assert!(told.stderr.contains("interface 7: not attached to"), "{}", told.told());
}

#[test]
fn the_script_of_old_is_a_link() {
    let (world, [a, b]) = one_subnet().make();
    call(&a, "assign_private_ip.sh", &["10.0.1.100", b.id()]).exits(0);
    held_by(&world, &b);
    let told = call(&a, "assign_private_ip.sh", &["10.0.1.100"]).exits(2);
    assert!(
        told.stderr.starts_with("assign_private_ip.sh: ") && told.stderr.contains("INSTANCE"),
        "{}",
        told.told()
    );
}

#[test]
fn what_cannot_be_done_is_one_line() {
    let (_world, [a, b]) = one_subnet().make();
    let rows: [(&[&str], i32, &str); 7] = [
        (&["10.0.1.300", a.id()], 2, "ADDRESS=10.0.1.300: expected an IPv4 address"),
        (&["10.0.1.100", "node1"], 2, "INSTANCE=node1: expected i- and"),
        (&["10.0.1.100"], 2, "INSTANCE"),
        (&["10.0.1.100", a.id(), "--regoin", "x"], 2, "--regoin"),
        (
            &["10.0.1.100", "i-00000000000000bad"],
            1,
            "i-00000000000000bad: EC2 shows no interface of this instance",
        ),
        (&["10.0.1.10", b.id()], 1, "is the primary address of"),
        (&["10.0.1.100", a.id(), "--interface", "eth0"], 2, "expected its eni-... id or its device index"),
    ];
    for (arguments, code, text) in rows {
        let told = eipctl(&a, arguments).exits(code);
        assert!(told.stderr.contains(text) && told.stderr.lines().count() == 1, "{}", told.told());
    }
}
