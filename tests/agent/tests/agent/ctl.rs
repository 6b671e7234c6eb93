//! `eipctl` in general: help, version, and wrong usage.

use std::os::unix::fs::PermissionsExt as _;

use agent_tests::{Node, Run, SimulatedWorld, each};

/// Every command of `eipctl`.
pub(crate) const COMMANDS: [&str; 11] = [
    "status", "show", "check", "claim", "release", "policy", "history", "metrics", "restore", "drill",
    "assign",
];

/// Makes a run use a node whose cluster is configured with these resources.
pub(crate) fn configured(world: &SimulatedWorld, run: Run, resources: &str) -> Run {
    let cib =
        format!("<cib><configuration><resources>{resources}</resources><constraints/></configuration></cib>");
    with_tools(world, run, &[("cibadmin", &cib)])
}

/// Makes a run use a node whose cluster is down and has saved these resources.
pub(crate) fn only_saved(world: &SimulatedWorld, run: Run, resources: &str) -> Run {
    let run = configured(world, run, resources);
    let tool = world.folder().path().join("bin/cibadmin");
    let script = std::fs::read_to_string(&tool).unwrap();
    let down = "#!/bin/sh\n[ -n \"$CIB_file\" ] || { echo 'Connection refused' >&2; exit 102; }\n";
    std::fs::write(&tool, script.replacen("#!/bin/sh\n", down, 1)).unwrap();
    run
}

/// Makes a run use a node whose cluster has these tools, each with its output.
pub(crate) fn with_tools(world: &SimulatedWorld, run: Run, tools: &[(&str, &str)]) -> Run {
    let folder = world.folder().path().join("bin");
    for (name, printed) in tools {
        let script = format!("#!/bin/sh\ncat <<'END'\n{printed}\nEND\n");
        world.folder().program(&format!("bin/{name}"), &script);
    }
    run.tools_in(&folder)
}

/// The CIB's XML of a resource with these parameters.
pub(crate) fn primitive(id: &str, agent: &str, parameters: &[(&str, &str)]) -> String {
    let pair =
        |(name, value): &(&str, &str)| format!(r#"<nvpair id="{id}-{name}" name="{name}" value="{value}"/>"#);
    let pairs: String = parameters.iter().map(pair).collect();
    format!(
        r#"<primitive id="{id}" class="ocf" provider="heartbeat" type="{agent}">
        <instance_attributes id="{id}-i">{pairs}</instance_attributes></primitive>"#
    )
}

#[test]
fn help_is_at_hand_for_every_command() {
    let (_world, [a]) = SimulatedWorld::new();
    let help = a.ctl("--help", &[]).ok().no_requests();
    let lines = help
        .stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let listed: Vec<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed.split_last(), Some((&"help", COMMANDS.as_slice())));
    each(COMMANDS.map(|name| (name, name)), |command| {
        assert!(help.stdout.contains(&format!("  {command} ")), "{}", help.stdout);
        let by_name = a.ctl("help", &[command]).ok();
        let by_option = a.ctl(command, &["--help"]).ok();
        assert!(by_option.stdout.contains("Usage: eipctl"), "{}", by_option.stdout);
        assert_eq!((by_name.stdout, by_name.stderr), (by_option.stdout, String::new()));
    });
    let version = a.ctl("--version", &[]).ok();
    assert_eq!(version.stdout, format!("eipctl {}\n", env!("CARGO_PKG_VERSION")));
}

/// [ctl-1]
#[test]
fn what_is_called_wrongly_gets_one_line() {
    let (_world, [a]) = SimulatedWorld::new();
    let rows: [(&[&str], &str); 20] = [
        (&[], "subcommand"),
        (&["shwo", "203.0.113.10"], "'show'"),
        (&["show"], "ADDRESS is needed: cibadmin"),
        (&["show", "203.0.113"], "expected an IPv4 address"),
        (&["show", "eipalloc-12"], "eipalloc- and 8 or 17 digits"),
        (&["show", "203.0.113.10", "--colour"], "--colour"),
        (&["show", "203.0.113.10", "--region", "eu-west-1a"], "not a zone"),
        (&["show", "203.0.113.10", "--timeout", "0"], "1..=3600"),
        (&["check", "203.0.113.10", "--interface", "eni-1"], "eni- and 8 or 17"),
        (&["claim", "203.0.113.10", "--allow-reassociation", "perhaps"], "true or false"),
        (&["policy"], "ADDRESS is needed: cibadmin"),
        (&["policy", "203.0.113.10", "--tag", "cluster"], "KEY=VALUE"),
        (&["policy", "203.0.113.10", "--account", "1234"], "twelve digits"),
        (&["history", "203.0.113.10"], "unexpected argument"),
        (&["status", "--watch=0"], "1..=3600"),
        (&["status", "--watch", "--json"], "cannot be used with"),
        (&["show", "10.0.1.100"], "is not a public address"),
        (&["claim", "fd00::1"], "--route-table ID for an overlay address"),
        (
            &["check", "10.0.1.100", "--vip", "--private-ip-address", "10.0.1.10"],
            "does not apply to ocf:heartbeat:vip",
        ),
        (&["check", "192.168.10.1", "--route-table", "rtb-1"], "routing_table=rtb-1: expected"),
    ];
    for (arguments, part) in rows {
        let (first, rest) = arguments.split_first().unwrap_or((&"", &[]));
        let outcome = a.ctl(first, rest).expect(2).complains("eipctl", part).no_requests();
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn the_file_of_metrics_is_one_that_node_exporter_reads() {
    let (world, [a]) = SimulatedWorld::new();
    let file = |name: &str| world.folder().path().join(name);
    let written = |name: &str| {
        let path = file(name).display().to_string();
        a.ctl("metrics", &["--output", &path]).wrapped_in(&["sh", "-c", "umask 077 && exec \"$@\"", "sh"])
    };
    written("eip.txt").expect(2).complains("eipctl", "must end in .prom").no_requests();
    assert!(!file("eip.txt").exists());
    written("eip.prom").ok();
    let mode = std::fs::metadata(file("eip.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "under umask 077");
}

#[test]
fn no_secret_of_the_environment_is_printed() {
    let (_world, [a]) = SimulatedWorld::new();
    let secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00";
    let run = |node: &Node, command| node.ctl(command, &["203.0.113.10"]).secret(secret);
    for command in ["show", "check"] {
        let run =
            run(&a, command).env("AWS_ACCESS_KEY_ID", "AKIDUNKNOWN").env("AWS_SECRET_ACCESS_KEY", secret);
        run.env("HTTPS_PROXY", format!("http://user:{secret}@127.0.0.1:1")).timeout_ms(40_000).go();
    }
}
