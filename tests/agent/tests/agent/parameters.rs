//! Each parameter's effect.

use std::net::Ipv4Addr;
use std::time::Duration;

use agent_tests::{Isolation, Run, SimulatedWorld, each};
use aws_sim::{Fault, FaultKind, InterfaceSpec, Service};

use crate::trouble::{SHORT_MS, break_ec2};

#[test]
fn an_interface_is_found_by_the_name_of_its_device() {
    let device = "ip link add eth7 address 06:00:00:00:00:07 type veth peer name peer7";
    let Some(isolation) = Isolation::new(device) else { return };
    let setup = SimulatedWorld::setup().inside(isolation).instances(|_| {
        let mut spec = aws_sim::InstanceSpec::with_ip([10, 0, 1, 10].into());
        let mac = Some(aws_sim::parsed("06:00:00:00:00:07"));
        let second = [10, 0, 1, 20].into();
        spec.interfaces.push(aws_sim::InterfaceSpec {
            mac,
            private_ips: vec![second],
            ..aws_sim::InterfaceSpec::default()
        });
        spec
    });
    let (world, [a]) = setup.make();
    a.start().param("interface", "eth7").ok();
    world.held_at(&a, a.ip(1));
    a.settled_monitor().param("interface", "eth7").ok().ec2_calls(0);
    a.start().param("interface", "eth8").expect(2).reason("eth8");
    a.start().param("interface", "lo").expect(2);
}

/// [imds-1] Such as an interface for IPv6 or EFA only, which has no `local-ipv4s` in instance metadata.
#[test]
fn an_interface_without_ipv4_addresses_does_not_hide_the_others() {
    let third: Ipv4Addr = [10, 0, 1, 50].into();
    for by_address in [false, true] {
        let (world, [a, b]) = SimulatedWorld::new();
        let cloud = &world.cloud;
        let spec = InterfaceSpec { private_ips: vec![third], ..InterfaceSpec::default() };
        let eni = cloud.add_interface(a.eni(), spec);
        cloud.attach(&eni, a.id());
        let without = cloud.mac_of(&cloud.interface_with([10, 0, 1, 12].into()).unwrap()).unwrap();
        let path = format!("/latest/meta-data/network/interfaces/macs/{without}/local-ipv4s");
        let absent = FaultKind::Error { status: 404, code: String::new(), message: String::new() };
        cloud.fault(Fault::new(Service::Imds, absent).operation(&path));
        let run = |run: Run| {
            if by_address { run.param("private_ip_address", third) } else { run.param("interface", &eni) }
        };
        let own = cloud.allocate(Some([203, 0, 113, 50].into()));
        cloud.associate(&own, &eni, None);
        run(a.start()).ok();
        world.held_at(&a, third);
        run(a.settled_monitor()).ok().ec2_calls(0);
        let option =
            if by_address { ["--private-ip-address", "10.0.1.50"] } else { ["--interface", eni.as_str()] };
        a.ctl("show", &["203.0.113.10", option[0], option[1]]).ok().prints("ours: ");
        // After a crash, the displaced address comes back.
        std::fs::remove_file(a.volatile_file()).unwrap();
        world.give(&b);
        a.ctl("restore", &[]).ok().says("203.0.113.50 restored on");
        // Nothing else identifies this machine.
        cloud.associate(&world.address, &eni, None);
        a.forget();
        run(a.stop()).ok();
        world.is_unassigned();
    }
}

#[test]
fn the_services_are_found_by_the_variables_of_the_sdk_too() {
    let (world, [a]) = SimulatedWorld::new();
    for run in [a.start(), a.settled_monitor(), a.probe(), a.validate(), a.stop()] {
        let outcome = run.by_environment().ok();
        assert!(!outcome.requests.is_empty(), "{}", outcome.told());
    }
    world.is_unassigned();
    let everything = format!("http://{}", a.ec2);
    let run = a.start().by_environment().no_env("AWS_ENDPOINT_URL_EC2").no_env("AWS_ENDPOINT_URL_STS");
    run.env("AWS_ENDPOINT_URL", everything).ok();
    world.held_by(&a);
}

#[test]
fn a_parameter_takes_precedence_over_a_variable() {
    let (world, [a]) = SimulatedWorld::new();
    let refusing = format!("http://{}", agent_tests::refusing());
    let run =
        a.start().env("AWS_ENDPOINT_URL_EC2", &refusing).env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &refusing);
    run.env("AWS_REGION", "us-east-1").param("region", "eu-west-1").ok();
    world.held_by(&a);
}

#[test]
fn the_region_signs_the_request() {
    // Like AWS, the simulator refuses a signature for another region.
    let (world, [a]) = SimulatedWorld::new();
    a.start().param("region", "eu-west-1").ok();
    world.held_by(&a);
    a.forget();
    let outcome = a.validate().param("region", "us-east-1").timeout_ms(SHORT_MS).go();
    assert_ne!(outcome.code, 0, "{}", outcome.told());
    a.validate().env("AWS_REGION", "us-east-1").timeout_ms(SHORT_MS).expect(outcome.code);
    a.validate().env("AWS_DEFAULT_REGION", "us-east-1").timeout_ms(SHORT_MS).expect(outcome.code);
}

/// [time-3]
#[test]
fn an_attempt_takes_no_longer_than_it_may() {
    each([("1", (1, 4..=7)), ("3", (3, 2..=3))], |(seconds, attempts)| {
        let (world, [a, b]) = SimulatedWorld::new();
        world.give(&b);
        break_ec2(&world.cloud, FaultKind::Hang);
        let run = a.start().param("attempt_timeout", seconds).timeout_ms(8_000);
        let outcome = run.expect(1);
        let count = outcome.ec2().len();
        // Four attempts have to fit into any budget, so long ones are shortened.
        let most = if seconds == 3 { 2..=5 } else { attempts.clone() };
        assert!(most.contains(&count), "{count} attempts\n{}", outcome.told());
    });
}

#[test]
fn a_connection_takes_no_longer_than_it_may() {
    let (world, [a, b]) = SimulatedWorld::new();
    world.give(&b);
    a.probe().expect(7);
    let hole = format!("http://{}", agent_tests::black_hole());
    // Trace lines show the attempts, because no request arrives anywhere.
    let trace = world.folder().path().join("trace");
    let run = a.start().ec2_at(hole).param("connect_timeout", "1").param("attempt_timeout", "30");
    let run = run.env("OCF_TRACE_RA", "1").env("OCF_TRACE_FILE", trace.display().to_string());
    run.timeout_ms(9_000).expect(1);
    let text = std::fs::read_to_string(&trace).unwrap();
    let attempts = text.matches("AssociateAddress").count();
    assert!(attempts >= 6, "a second each, in eight seconds:\n{text}");
}

/// [time-3]
#[test]
fn pauses_after_throttling_stay_below_their_limit() {
    let (world, [a, b]) = SimulatedWorld::new();
    world.give(&b);
    break_ec2(&world.cloud, FaultKind::Throttle);
    let run = |limit: &str| a.start().param("max_backoff", limit).timeout_ms(9_000);
    let outcome = run("1").expect(1);
    let times: Vec<f64> = outcome.ec2().iter().map(|request| request.at).collect();
    assert!(times.len() >= 6, "{}", outcome.told());
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] < 1.5, "a longer pause\n{}", outcome.told());
    }
}

/// [time-1]
#[test]
fn an_unset_timeout_is_pacemakers_default() {
    let (world, [a, b]) = SimulatedWorld::new();
    world.give(&b);
    break_ec2(&world.cloud, FaultKind::Hang);
    let outcome = a.start().no_param("CRM_meta_timeout").expect(1);
    outcome.not_before(Duration::from_secs(12)).within(Duration::from_millis(19_700));
}
