//! The agent `vip` and the network device: real netlink in a network namespace, with a neighbour in another one.

use std::net::Ipv4Addr;

use agent_tests::Run;
use aws_sim::ImdsState;

use crate::trouble::SHORT_MS;
use crate::vip_world::*;

#[test]
fn the_address_comes_with_the_prefix_of_the_subnet_and_goes_without_a_trace() {
    let Some(wired) = Wired::new() else { return };
    let before = wired.addresses("eth0");
    start(&wired.a).ok();
    held_by(&wired.world, &wired.a);
    let after = wired.addresses("eth0");
    assert!(after.iter().any(|line| line.contains("10.0.1.100/24 brd 10.0.1.255")), "{after:?}");
    settled_monitor(&wired.a).ok().ec2_calls(0);
    start(&wired.a).ok().wrote_nothing();
    stop(&wired.a).ok();
    assert_eq!(wired.addresses("eth0"), before);
    is_unassigned(&wired.world);
    stop(&wired.a).ok();
    probe(&wired.a).expect(7);
}

/// [stop-12]
#[test]
fn a_stop_without_parameters_takes_the_address_off_the_device() {
    let Some(wired) = Wired::new() else { return };
    start(&wired.a).ok();
    stop(&wired.a).no_param("secondary_private_ip").ok();
    assert!(!wired.on_device("eth0"));
    is_unassigned(&wired.world);
}

#[test]
fn the_label_is_the_one_that_was_requested() {
    let Some(wired) = Wired::new() else { return };
    start(&wired.a).param("iflabel", "web").ok();
    let shown = wired.addresses("eth0");
    assert!(
        shown.iter().any(|line| line.contains("10.0.1.100/24") && line.contains("eth0:web")),
        "{shown:?}"
    );
    stop(&wired.a).param("iflabel", "web").ok();
    assert!(!wired.on_device("eth0"));
    start(&wired.a).param("iflabel", "thirteen-char").expect(2).reason("iflabel=thirteen-char");
    assert!(!wired.on_device("eth0"));
}

#[test]
fn the_neighbours_are_notified() {
    let Some(wired) = Wired::new() else { return };
    // What an old holder left in the table of a neighbour that does not query again.
    let stale = "ip neighbour replace 10.0.1.100 lladdr 02:00:00:00:00:99 nud stale dev peer";
    wired.neighbour(&["sh", "-c", stale]);
    start(&wired.a).ok();
    wired.neighbour_learns("02:00:00:00:00:01");
    wired.neighbour(&["ping", "-c", "1", "-W", "5", "10.0.1.100"]);
}

/// [stop-10]
#[test]
fn the_nodes_own_address_survives_every_mistake() {
    let Some(wired) = Wired::new() else { return };
    let own = |run: Run| run.vip(wired.a.private_ip());
    let before = wired.addresses("eth0");
    own(wired.a.start()).expect(2);
    own(wired.a.stop()).ok();
    wired.world.cloud.set_imds_state(wired.a.id(), ImdsState::Hang);
    own(wired.a.stop()).timeout_ms(SHORT_MS).go();
    assert_eq!(wired.addresses("eth0"), before);
}

/// Together with the first address of a subnet, the kernel removes the others and the routes over them, unless that is turned off;
/// the node's route to AWS may be among those.
#[test]
fn other_addresses_and_their_routes_stay_even_if_ours_came_first() {
    let Some(wired) = Wired::new() else { return };
    let setting = "echo 0 >/proc/sys/net/ipv4/conf/eth0/promote_secondaries; \
                   echo 0 >/proc/sys/net/ipv4/conf/all/promote_secondaries";
    wired.inside(&["sh", "-c", setting]);
    start(&wired.a).ok();
    wired.inside(&["ip", "address", "flush", "dev", "eth0"]);
    for address in ["10.0.1.100/24", "10.0.1.10/24", "10.0.1.77/24"] {
        wired.inside(&["ip", "address", "add", address, "broadcast", "+", "label", "eth0:x", "dev", "eth0"]);
    }
    wired.inside(&["ip", "route", "add", "192.0.2.0/24", "via", "10.0.1.200", "src", "10.0.1.10"]);
    stop(&wired.a).ok();
    let shown = wired.addresses("eth0");
    assert!(!wired.on_device("eth0"));
    for address in ["10.0.1.10/24 brd 10.0.1.255", "10.0.1.77/24 brd 10.0.1.255"] {
        assert!(shown.iter().any(|line| line.contains(address) && line.contains("eth0:x")), "{shown:?}");
    }
    let routes = wired.inside(&["ip", "-4", "route"]);
    for route in ["192.0.2.0/24 via 10.0.1.200 dev eth0", "10.0.1.0/24 dev eth0"] {
        assert!(routes.contains(route), "{routes}");
    }
    let setting = wired.inside(&["cat", "/proc/sys/net/ipv4/conf/eth0/promote_secondaries"]);
    assert_eq!(setting.trim(), "0", "it is the administrator's");
}

/// [stop-9] As when a node goes into standby, with resources that are not in one group.
#[test]
fn stops_side_by_side_do_not_restore_each_others_addresses() {
    let Some(wired) = Wired::new() else { return };
    let before = wired.addresses("eth0");
    let resource = |run: Run, number: u8| {
        run.vip(Ipv4Addr::new(10, 0, 1, number)).env("OCF_RESOURCE_INSTANCE", format!("vip-{number}"))
    };
    for _ in 0..3 {
        let numbers = 100..108;
        for number in numbers.clone() {
            resource(wired.a.start(), number).ok();
        }
        let stops: Vec<_> = numbers.map(|number| resource(wired.a.stop(), number).spawn()).collect();
        for stop in stops {
            let outcome = stop.wait();
            assert_eq!(outcome.code, 0, "{}", outcome.told());
        }
        assert_eq!(wired.addresses("eth0"), before);
    }
}

/// [monitor-6]
#[test]
fn an_address_on_a_device_that_is_down_is_not_here_and_a_start_switches_the_device_on() {
    let Some(wired) = Wired::new() else { return };
    start(&wired.a).ok();
    wired.inside(&["ip", "link", "set", "eth0", "down"]);
    settled_monitor(&wired.a).expect(7).reason("eth0 is down");
    start(&wired.a).ok();
    settled_monitor(&wired.a).ok();
    assert!(wired.on_device("eth0"));
    wired.inside(&["ip", "link", "set", "eth0", "down"]);
    stop(&wired.a).ok();
    assert!(!wired.on_device("eth0"), "it would be back with the device");
}

#[test]
fn the_device_can_be_named_also_by_an_alternative_name() {
    let Some(wired) = Wired::new() else { return };
    wired.inside(&["ip", "link", "add", "br0", "address", "02:00:00:00:00:01", "type", "bridge"]);
    let alternatives = ["enp0s5", "device-number-0.0.of-card-0"];
    for name in alternatives {
        wired.inside(&["ip", "link", "property", "add", "dev", "br0", "altname", name]);
    }
    for name in [&alternatives[..], &["br0"]].concat() {
        let named = |run: Run| run.param("interface", name);
        // A stop also knows the device from the record.
        for stopped in [named(stop(&wired.a)), stop(&wired.a)] {
            named(start(&wired.a)).ok();
            assert!(wired.on_device("br0") && !wired.on_device("eth0"), "{name}");
            named(settled_monitor(&wired.a)).ok();
            stopped.ok();
            assert!(!wired.on_device("br0"), "{name}");
        }
    }
    start(&wired.a).param("interface", "enp0s6").expect(2).reason("no such device");
    // If not configured, it is the one with the interface's own address.
    start(&wired.a).ok();
    assert!(wired.on_device("eth0"));
}

/// In accounts with many interfaces, EC2 refuses a call that is neither.
#[test]
fn every_question_about_interfaces_is_by_id_or_filter_or_in_pages() {
    const FILTERS: [&str; 6] =
        ["group-id", "mac-address", "private-dns-name", "private-ip-address", "subnet-id", "vpc-id"];
    let Some(wired) = Wired::new() else { return };
    let actions =
        [start(&wired.a), settled_monitor(&wired.a), probe(&wired.a), stop(&wired.a), stop(&wired.a)];
    let mut asked = 0;
    for run in actions {
        for call in run.go().calls("DescribeNetworkInterfaces") {
            let params = &call.params;
            let good = params.contains_key("MaxResults")
                || params.contains_key("NetworkInterfaceId.1")
                || params.values().any(|value| FILTERS.contains(&value.as_str()));
            assert!(good, "{params:?}");
            asked += 1;
        }
    }
    assert!(asked > 2, "{asked}");
}

#[test]
fn beside_ipaddr2_it_finds_the_address_there_already() {
    let Some(wired) = Wired::new() else { return };
    wired.inside(&["ip", "address", "add", "10.0.1.100/32", "dev", "eth0"]);
    start(&wired.a).ok();
    let ours: Vec<String> =
        wired.addresses("eth0").into_iter().filter(|l| l.contains("10.0.1.100/")).collect();
    assert!(ours.len() == 1 && ours[0].contains("10.0.1.100/32"), "{ours:?}");
    stop(&wired.a).ok();
    assert!(!wired.on_device("eth0"));
}

#[test]
fn without_the_right_to_change_devices_that_is_reported() {
    let Some(wired) = Wired::new() else { return };
    let without = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", "--"];
    start(&wired.a).wrapped_in(&without).expect(1).reason("Operation not permitted");
    start(&wired.a).ok();
    stop(&wired.a).wrapped_in(&without).expect(1).reason("Operation not permitted");
    is_unassigned(&wired.world);
    stop(&wired.a).ok();
    assert!(!wired.on_device("eth0"));
}
