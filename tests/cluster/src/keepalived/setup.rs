//! A node's files: `keepalived.conf`, and the settings of `eip-keepalived`.

use crate::pairs::PairSetup;
use crate::topology::{CLOUD_IP, EC2_PORT, ELASTIC_IP, NodeName};

/// The article's `keepalived.conf` of the first node, verbatim except for the elastic IP, of which it shows only half.
const ARTICLE_HOST01: &str = r#"vrrp_script haproxy-check {
    script "killall -0 haproxy"
    interval 2
    weight 20
}

vrrp_instance haproxy-vip {
    state MASTER
    priority 102
    interface eth0
    virtual_router_id 47
    advert_int 3

    unicast_src_ip 10.18.16.11
    unicast_peer {
        10.18.18.11
    }

    notify_master "/etc/keepalived/vrrp.sh 54.192.x.x start"

    virtual_ipaddress {
        10.15.85.31
    }

    track_script {
        haproxy-check weight 20
    }
}
"#;

/// A script like the article's: it calls a tool that no longer exists, and always exits with 0.
const OLD_SCRIPT: &str = r#"#!/bin/bash
[ -f /etc/keepalived/aws.conf ] && . /etc/keepalived/aws.conf
ENI_ID="eni-2dxxxxxx"
ALOC_ID="eipalloc-39xxxxxx"
case $2 in
    start) ec2-associate-address -n $ENI_ID -a $ALOC_ID --allow-reassociation; echo started ;;
    stop) echo stopped ;;
    status) echo FAIL ;;
esac
"#;

/// Installs the packages, and so the agent and the command `eip-keepalived`.
pub const INSTALL: &str = "cd /run/packages && dpkg --no-triggers -i eip_*.deb eip-keepalived_*.deb\n";

/// The packaged examples.
const EXAMPLES: [&str; 2] = [
    include_str!("../../../../packaging/keepalived/host01.conf"),
    include_str!("../../../../packaging/keepalived/host02.conf"),
];

/// The article's pair, with nothing installed yet.
pub fn article() -> PairSetup {
    let user = ("AKIDOFTHEARTICLE", "secretOfTheArticle+0123456789abcdef");
    let settings = format!(
        "export EC2_HOME=/opt/ec2\nexport EC2_URL=http://{CLOUD_IP}:{EC2_PORT}\nexport AWS_ACCESS_KEY={}\nexport AWS_SECRET_KEY={}\n",
        user.0, user.1
    );
    let [one, two] = article_configuration();
    let files = [(one, "10.18.16.11\n"), (two, "10.18.18.11\n")].map(|(configuration, address)| {
        let mut files = files_of(configuration, &settings, address);
        files.push(("etc/keepalived/vrrp.sh", OLD_SCRIPT.to_owned()));
        files
    });
    PairSetup { files, user: Some(user), ..PairSetup::default() }
}

/// A pair with the packaged examples: VRRP version 2, a notification of every state, and no automatic failback. Only the nodes'
/// addresses are filled in.
pub fn example() -> PairSetup {
    of_configurations(EXAMPLES.map(str::to_owned))
}

/// As `example`, but with VRRP version 3 and timers of fractions of a second.
pub fn fast() -> PairSetup {
    of_configurations(EXAMPLES.map(made_fast))
}

fn article_configuration() -> [String; 2] {
    let one = ARTICLE_HOST01.replace("54.192.x.x", &ELASTIC_IP.to_string());
    // This is how the article's second file differs.
    let two = one
        .replace("state MASTER", "state BACKUP")
        .replace("priority 102", "priority 101")
        .replace("10.18.16.11", "HERE")
        .replace("10.18.18.11", "10.18.16.11")
        .replace("HERE", "10.18.18.11");
    [one, two]
}

/// An example with VRRP version 3 and timers of fractions of a second, with failback to the first node, and with a tracked file
/// that takes an instance down at once. keepalived has a higher priority than the tests: a pause of 0.7 s would look like a dead node.
fn made_fast(example: &str) -> String {
    let changes = [
        (
            "    enable_script_security\n",
            "    enable_script_security\n    vrrp_version 3\n    vrrp_priority -20\n",
        ),
        ("advert_int 1\n", "advert_int 0.2\n"),
        ("    nopreempt\n", ""),
        ("interval 5\n    timeout 4\n    fall 3\n", "interval 1\n    timeout 4\n    fall 2\n"),
        (
            "vrrp_instance eip {\n",
            "vrrp_track_file flap {\n    file /run/flap\n}\n\nvrrp_instance eip {\n    track_file {\n        flap weight 0\n    }\n",
        ),
    ];
    changes.iter().fold(example.to_owned(), |conf, (from, to)| conf.replace(from, to))
}

fn of_configurations(configurations: [String; 2]) -> PairSetup {
    let settings = format!("ENDPOINT_URL=http://{CLOUD_IP}:{EC2_PORT}\n");
    let files = configurations.map(|conf| {
        let conf = conf.replace("10.0.1.10", "10.77.1.10").replace("10.0.2.10", "10.77.2.10");
        files_of(conf, &settings, "")
    });
    PairSetup { files, install: INSTALL.to_owned(), ..PairSetup::default() }
}

fn files_of(configuration: String, settings: &str, addresses: &str) -> Vec<(&'static str, String)> {
    vec![
        ("etc/keepalived/keepalived.conf", configuration),
        ("etc/keepalived/aws.conf", settings.to_owned()),
        ("systemctl", include_str!("systemctl").to_owned()),
        ("addresses", addresses.to_owned()),
    ]
}

/// A node's host name in the article and the guide.
pub fn host_name(node: NodeName) -> String {
    format!("host0{}", node.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_pair_is_the_examples_with_every_change_made() {
        for conf in EXAMPLES.map(made_fast) {
            for part in [
                "vrrp_version 3",
                "vrrp_priority -20",
                "advert_int 0.2",
                "interval 1\n",
                "fall 2\n",
                "file /run/flap",
                "flap weight 0",
            ] {
                assert!(conf.contains(part), "{part}: {conf}");
            }
            assert!(!conf.contains("    nopreempt"), "{conf}");
        }
    }

    #[test]
    fn the_articles_second_node_is_the_first_one_mirrored() {
        let [one, two] = article_configuration();
        assert!(one.contains("unicast_src_ip 10.18.16.11") && one.contains("        10.18.18.11"));
        assert!(two.contains("unicast_src_ip 10.18.18.11") && two.contains("        10.18.16.11"));
        assert!(two.contains("state BACKUP") && two.contains("priority 101"));
    }
}
