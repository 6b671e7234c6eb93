//! The files of a node: Heartbeat's three, and what `elastic-ip` reads.

use std::fmt::Write as _;

use cluster::topology::{CLOUD_IP, EC2_PORT, ELASTIC_IP, NodeName};

/// How a cluster is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// `ha.cf`; `{peer}` in it is the private address of the other node.
    pub ha_cf: String,
    /// `authkeys`.
    pub authkeys: String,
    /// `haresources`.
    pub haresources: String,
    /// The settings of `elastic-ip`.
    pub settings: String,
    /// The script in `/etc/init.d` that is to be replaced.
    pub old_script: Option<&'static str>,
    /// A shell script that installs at each boot what is to be there; the packages are in `/run/packages`.
    pub install: Option<&'static str>,
    /// Key id and secret of the old script's secret file; without it the nodes have a role.
    pub secret: Option<(String, String)>,
    /// Whether the daemon's environment says where EC2 is, because the settings do not.
    pub endpoint_in_environment: bool,
}

/// What the article has in `ha.cf`; only the addresses that it leaves out are filled in.
const ARTICLE_HA_CF: &str = "\
logfacility daemon
node server1 server2
keepalive 1
deadtime 10
ucast eth0 10.77.1.10
ucast eth0 10.77.2.10
auto_failback on
";

/// A script such as the article's: it needs an `aws` command, says whether that worked, and always succeeds.
const OLD_SCRIPT: &str = r#"#!/bin/sh
DESC="elastic-ip remapper"
. /etc/default/elastic-ip
case $1 in
start) aws $AWS_PARAMS associate-address "$ELASTIC_IP" -i "$MY_ID" && echo "$DESC: associated" || echo "$DESC: not associated" ;;
stop) aws $AWS_PARAMS disassociate-address "$ELASTIC_IP" && echo "$DESC: disowned" || echo "$DESC: not disowned" ;;
status) aws $AWS_PARAMS describe-addresses | grep "$ELASTIC_IP" | grep -q "$MY_ID" && echo "$DESC: I have it" || echo "$DESC: I do not have it" ;;
esac
"#;

/// Where the packages put the agent, and with it the command.
const INSTALL: &str = "cd /run/packages && dpkg -i --force-confold eip_*.deb eip-heartbeat_*.deb\n";

impl Setup {
    /// Returns a cluster that notices a failure soon, with the packages installed.
    pub fn quick() -> Self {
        let ha_cf = "crm off\nlogfile /var/log/ha-log\ndebugfile /var/log/ha-debug\nlogfacility none\nrealtime off\n\
                     keepalive 300ms\nwarntime 1500ms\ndeadtime 3\ninitdead 6\nudpport 694\nucast eth0 {peer}\n\
                     auto_failback on\nnode server1\nnode server2\n";
        Self {
            ha_cf: ha_cf.to_owned(),
            authkeys: "auth 1\n1 sha1 a-key-for-tests\n".to_owned(),
            haresources: format!("server1 elastic-ip::{ELASTIC_IP}\n"),
            settings: format!("ENDPOINT_URL=http://{CLOUD_IP}:{EC2_PORT}\n"),
            old_script: None,
            install: Some(INSTALL),
            secret: None,
            endpoint_in_environment: false,
        }
    }

    /// Returns the article's cluster. Nothing is installed yet.
    pub fn article() -> Self {
        Self {
            ha_cf: ARTICLE_HA_CF.to_owned(),
            authkeys: "auth 1\n1 sha1 foobarbaz\n".to_owned(),
            haresources: "server1 elastic-ip\n".to_owned(),
            settings: format!(
                "DESC=\"elastic-ip remapper\"\nexport AWS_PARAMS=\"--region=eu-west-1\"\nexport \
                 ELASTIC_IP={ELASTIC_IP}\nexport MY_ID=$(curl -s http://169.254.169.254/latest/meta-data/instance-id)\n"
            ),
            old_script: Some(OLD_SCRIPT),
            install: None,
            secret: Some(("AKIDOFTHEARTICLE".to_owned(), "secretOfTheArticle+0123456789abcdef".to_owned())),
            endpoint_in_environment: true,
        }
    }

    /// Returns the files of a node, by their paths below its folder.
    pub fn files(&self, node: NodeName, all: &[NodeName]) -> Vec<(&'static str, String)> {
        let peer = all.iter().find(|other| **other != node).map(|peer| peer.address().to_string());
        let mut hosts = "127.0.0.1 localhost\n".to_owned();
        for one in all {
            // Writing to a String cannot fail.
            let _ = writeln!(hosts, "{} {}", one.address(), host_name(*one));
        }
        let mut files = vec![
            ("etc/ha.d/ha.cf", self.ha_cf.replace("{peer}", &peer.unwrap_or_default())),
            ("etc/ha.d/authkeys", self.authkeys.clone()),
            ("etc/ha.d/haresources", self.haresources.clone()),
            ("etc/default/elastic-ip", self.settings.clone()),
            ("etc/hosts", hosts),
            ("etc/hostname", format!("{}\n", host_name(node))),
            ("log/init.out", String::new()),
        ];
        files.extend(self.old_script.map(|script| ("etc/init.d/elastic-ip", script.to_owned())));
        files.extend(self.secret.clone().map(|(id, secret)| ("awssecret", format!("{id}\n{secret}\n"))));
        files
    }
}

/// Returns the name that a node has for itself: that of the article.
pub fn host_name(node: NodeName) -> String {
    format!("server{}", node.number())
}

/// Returns the node that has this name for itself.
pub fn node_of(host_name: &str) -> Option<NodeName> {
    host_name.trim().strip_prefix("server").and_then(|number| format!("n{number}").parse().ok())
}
