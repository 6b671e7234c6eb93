//! A node's files: Heartbeat's three, and those that `elastic-ip` reads.

use std::fmt::Write as _;

use crate::pairs::PairSetup;
use crate::topology::{CLOUD_IP, EC2_PORT, ELASTIC_IP, N1, N2, NodeName};

/// The article's `ha.cf`, with only the addresses filled in that it omits.
const ARTICLE_HA_CF: &str = "\
logfacility daemon
node server1 server2
keepalive 1
deadtime 10
ucast eth0 10.77.1.10
ucast eth0 10.77.2.10
auto_failback on
";

/// Detects a failure quickly. `PEER` stands for the private address of the other node.
const QUICK_HA_CF: &str = "\
crm off
logfile /var/log/ha-log
debugfile /var/log/ha-debug
logfacility none
realtime off
keepalive 300ms
warntime 1500ms
deadtime 3
initdead 6
udpport 694
ucast eth0 PEER
auto_failback on
node server1
node server2
";

/// A script like the article's: it needs an `aws` command, prints whether that worked, and always exits with 0.
const OLD_SCRIPT: &str = r#"#!/bin/sh
DESC="elastic-ip remapper"
. /etc/default/elastic-ip
case $1 in
start) aws $AWS_PARAMS associate-address "$ELASTIC_IP" -i "$MY_ID" && echo "$DESC: associated" || echo "$DESC: not associated" ;;
stop) aws $AWS_PARAMS disassociate-address "$ELASTIC_IP" && echo "$DESC: disowned" || echo "$DESC: not disowned" ;;
status) aws $AWS_PARAMS describe-addresses | grep "$ELASTIC_IP" | grep -q "$MY_ID" && echo "$DESC: I have it" || echo "$DESC: I do not have it" ;;
esac
"#;

/// Installs the packages, and so the agent and the command `elastic-ip`.
pub const INSTALL: &str = "cd /run/packages && dpkg -i --force-confold eip_*.deb eip-heartbeat_*.deb\n";

/// A cluster that detects a failure quickly, with the packages installed.
pub fn quick() -> PairSetup {
    let files = |node, peer: NodeName| {
        let ha_cf = QUICK_HA_CF.replace("PEER", &peer.address().to_string());
        let settings = format!("ENDPOINT_URL=http://{CLOUD_IP}:{EC2_PORT}\n");
        let haresources = format!("server1 elastic-ip::{ELASTIC_IP}\n");
        files_of(node, ha_cf, "a-key-for-tests", haresources, settings)
    };
    PairSetup { files: [files(N1, N2), files(N2, N1)], install: INSTALL.to_owned(), ..PairSetup::default() }
}

/// The article's cluster, with nothing installed yet.
pub fn article() -> PairSetup {
    let user = ("AKIDOFTHEARTICLE", "secretOfTheArticle+0123456789abcdef");
    let files = |node| {
        let settings = format!(
            "DESC=\"elastic-ip remapper\"\nexport AWS_PARAMS=\"--region=eu-west-1\"\nexport \
             ELASTIC_IP={ELASTIC_IP}\nexport MY_ID=$(curl -s http://169.254.169.254/latest/meta-data/instance-id)\n"
        );
        let haresources = "server1 elastic-ip\n".to_owned();
        let mut files = files_of(node, ARTICLE_HA_CF.to_owned(), "foobarbaz", haresources, settings);
        files.push(("etc/init.d/elastic-ip", OLD_SCRIPT.to_owned()));
        files.push(("root/.awssecret", format!("{}\n{}\n", user.0, user.1)));
        files
    };
    let environment = vec![format!("AWS_ENDPOINT_URL=http://{CLOUD_IP}:{EC2_PORT}")];
    PairSetup { files: [files(N1), files(N2)], user: Some(user), environment, ..PairSetup::default() }
}

fn files_of(
    node: NodeName,
    ha_cf: String,
    key: &str,
    haresources: String,
    settings: String,
) -> Vec<(&'static str, String)> {
    let mut hosts = "127.0.0.1 localhost\n".to_owned();
    for one in [N1, N2] {
        // Writing to a String cannot fail.
        let _ = writeln!(hosts, "{} {}", one.address(), host_name(one));
    }
    vec![
        ("etc/ha.d/ha.cf", ha_cf),
        ("etc/ha.d/authkeys", format!("auth 1\n1 sha1 {key}\n")),
        ("etc/ha.d/haresources", haresources),
        ("etc/default/elastic-ip", settings),
        ("etc/hosts", hosts),
        ("etc/hostname", format!("{}\n", host_name(node))),
    ]
}

/// A node's own host name, as in the article.
pub fn host_name(node: NodeName) -> String {
    format!("server{}", node.number())
}
