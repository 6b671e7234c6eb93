//! What was found here once, each by its name: the made-up cases of the next seed may miss it.

use agent_tests::{Node, SimulatedWorld};
use hostile::answer::HostileAnswer;
use hostile::call::{AgentCall, CallOutcome, MEMORY};
use hostile::impostor::Impostor;
use hostile::place::Place;
use hostile::verdict;

use crate::answers;
use crate::scene::{Scene, allowed, usual};

#[track_caller]
fn judged(call: &AgentCall, program: &str) -> CallOutcome {
    let ended = call.run();
    if let Err(wrong) = verdict::judge(call, &ended, allowed(program)) {
        panic!("{wrong}");
    }
    ended
}

/// Runs a start whose first answer to such a request never ends.
#[track_caller]
fn start_with_an_endless_answer(part: &str, of_ec2: bool) -> CallOutcome {
    let (world, [node]) = SimulatedWorld::new::<1>();
    let links = answers::links();
    let place = Place::below(world.folder().path(), "case");
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let endless = HostileAnswer::Endless(
        head.into(),
        format!("10000\r\n{}\r\n", "<item/>\n".repeat(8192)).into_bytes(),
    );
    let impostor = |node: &Node, ec2: bool| {
        let server = if ec2 { node.ec2 } else { node.imds };
        if ec2 == of_ec2 {
            Impostor::saying(server, part, endless.clone())
        } else {
            Impostor::before(server, None)
        }
    };
    let (ec2, imds) = (impostor(&node, true), impostor(&node, false));
    let urls = [format!("http://{}", ec2.addr()), format!("http://{}", imds.addr())];
    let call = usual(Vec::new(), &links.path().join("eip"), urls, &node, &["start"], &place);
    let ended = judged(&call, "eip");
    assert_eq!(ec2.said().len() + imds.said().len(), 1, "it was not queried: {ended:?}");
    assert_eq!(ended.code, 0, "the next answer is a right one: {ended:?}");
    ended
}

#[test]
fn an_answer_without_end_is_ended_by_its_length_not_by_the_memory() {
    for (part, of_ec2) in
        [("Action=DescribeAddresses&", true), ("meta-data/instance-id", false), ("/latest/api/token", false)]
    {
        let ended = start_with_an_endless_answer(part, of_ec2);
        assert!(ended.peak < MEMORY / 2, "{part}: {} KiB", ended.peak / 1024);
    }
}

#[test]
fn a_token_that_is_a_fifo_or_has_no_end_is_refused() {
    let Some(scene) = Scene::new() else { return };
    for (which, name) in [
        (0, "AWS_WEB_IDENTITY_TOKEN_FILE"),
        (3, "AWS_WEB_IDENTITY_TOKEN_FILE"),
        (6, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    ] {
        let place = scene.place();
        let kind = place.put_special("token", which);
        let [_, imds] = scene.urls();
        let call = scene.call("eip", &["start"], &place).set(name, place.at("token"));
        let call = call
            .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
            .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", imds);
        let ended = judged(&call, "eip");
        let reason = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.code == 4 && reason.contains("no credentials from"), "{kind}: {ended:?}");
    }
}

#[test]
fn certificates_of_the_system_that_have_no_end_are_refused() {
    let Some(scene) = Scene::new() else { return };
    for which in [0, 3, 6] {
        let place = scene.place();
        let kind = place.put_special("certificates", which);
        let ended = judged(
            &scene.call("eip", &["start"], &place).set("SSL_CERT_FILE", place.at("certificates")),
            "eip",
        );
        assert!(
            ended.code == 2 && String::from_utf8_lossy(&ended.stderr).contains("SSL_CERT_FILE"),
            "{kind}: {ended:?}"
        );
    }
    let place = scene.place();
    place.put_special("folder/huge", 6);
    for folder in [place.at("folder"), "/proc/self".to_owned()] {
        let ended = judged(&scene.call("eip", &["start"], &place).set("SSL_CERT_DIR", &folder), "eip");
        let reason = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.code == 2 && reason.contains("SSL_CERT_DIR"), "{folder}: {ended:?}");
    }
}

#[test]
fn a_time_zone_that_is_a_fifo_a_device_or_the_whole_disk_is_utc() {
    let Some(scene) = Scene::new() else { return };
    let place = scene.place();
    place.put_special("fifo", 0);
    for (name, value) in [
        ("TZ", place.at("fifo")),
        ("TZ", "/dev/zero".to_owned()),
        ("TZDIR", "/".to_owned()),
        ("TZ", "a".repeat(100_000)),
    ] {
        let call = scene.call("eip", &["monitor"], &place).set("TZ", "Europe/Berlin").set(name, value);
        // A trace begins with the date.
        let call = call.set("OCF_TRACE_RA", "1").set("OCF_TRACE_FILE", place.at("trace/all"));
        judged(&call, "eip");
    }
}

#[test]
fn keys_that_no_header_can_carry_are_refused() {
    let Some(scene) = Scene::new() else { return };
    let of_file = |place: &Place| {
        place.write("home/.awssecret", b"AKID\t\x08EXAMPLE\nwJalrXUtnFEMI\n");
        scene.call("eip", &["start"], place)
    };
    let of_variables = |place: &Place, id: &str, token: &str| {
        let call = scene.call("eip", &["start"], place).set("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI");
        call.set("AWS_ACCESS_KEY_ID", id).set("AWS_SESSION_TOKEN", token)
    };
    let place = scene.place();
    for call in [
        of_file(&scene.place()),
        of_variables(&place, "AKID\u{1b}EXAMPLE", "token"),
        of_variables(&place, "AKIDEXAMPLE", "a\ntoken"),
    ] {
        let ended = judged(&call, "eip");
        let reason = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.code == 4 && reason.contains("no credentials from"), "{ended:?}");
    }
}

/// [health-7]
#[test]
fn a_tool_of_the_cluster_that_prints_without_end_is_a_warning() {
    let Some(scene) = Scene::new() else { return };
    for which in [3, 8, 10] {
        let place = scene.place();
        let call = scene.call("eip-health", &["start"], &place);
        let kind = place.put_special("answers/cibadmin", which);
        let ended = judged(&call, "eip-health");
        let log = String::from_utf8_lossy(&ended.logs[0].1).into_owned();
        assert!(ended.code == 0 && log.contains("printed more than 8 MiB"), "{kind}: {ended:?}");
    }
}
