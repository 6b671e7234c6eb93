//! The files of a node: `keepalived.conf`, and the settings of `eip-keepalived`.

use std::net::Ipv4Addr;

use cluster::topology::{CLOUD_IP, EC2_PORT, ELASTIC_IP, NodeName};

/// How a pair is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// `keepalived.conf` of each node.
    pub conf: [String; 2],
    /// `aws.conf`, the settings.
    pub settings: String,
    /// Private addresses that the nodes have beside the harness's.
    pub addresses: [Option<Ipv4Addr>; 2],
    /// The script that is to be replaced, of each node.
    pub old_script: Option<&'static str>,
    /// What is installed at each boot, as a shell script.
    pub install: Option<&'static str>,
    /// Key id and secret of a user, who stands in the settings; without one the nodes have a role.
    pub secret: Option<(&'static str, &'static str)>,
}

/// The article's `keepalived.conf` of the first node, letter by letter but for the elastic IP, of which it shows a half.
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

/// A script such as the article's: it calls a tool that is long gone, and always succeeds.
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

/// Where the packages put the agent, and with it the command.
pub const INSTALL: &str = "cd /run/packages && dpkg --no-triggers -i eip_*.deb eip-keepalived_*.deb\n";

const HOST01: &str = include_str!("../../../packaging/keepalived/host01.conf");
const HOST02: &str = include_str!("../../../packaging/keepalived/host02.conf");

impl Setup {
    /// Returns the article's pair. Nothing is installed yet.
    pub fn article() -> Self {
        let one = ARTICLE_HOST01.replace("54.192.x.x", &ELASTIC_IP.to_string());
        // The article's second file differs in this.
        let two = one
            .replace("state MASTER", "state BACKUP")
            .replace("priority 102", "priority 101")
            .replace("10.18.16.11", "HERE")
            .replace("10.18.18.11", "10.18.16.11")
            .replace("HERE", "10.18.18.11");
        let secret = ("AKIDOFTHEARTICLE", "secretOfTheArticle+0123456789abcdef");
        let settings = format!(
            "export EC2_HOME=/opt/ec2\nexport EC2_URL=http://{CLOUD_IP}:{EC2_PORT}\nexport AWS_ACCESS_KEY={}\nexport AWS_SECRET_KEY={}\n",
            secret.0, secret.1
        );
        Self {
            conf: [one, two],
            settings,
            addresses: [Some(Ipv4Addr::new(10, 18, 16, 11)), Some(Ipv4Addr::new(10, 18, 18, 11))],
            old_script: Some(OLD_SCRIPT),
            install: None,
            secret: Some(secret),
        }
    }

    /// Returns the pair of the packaged examples: VRRP version 2, every state told, and no way back by itself. The nodes'
    /// addresses are put in.
    pub fn example() -> Self {
        let put_in = |conf: &str| conf.replace("10.0.1.10", "10.77.1.10").replace("10.0.2.10", "10.77.2.10");
        Self {
            conf: [put_in(HOST01), put_in(HOST02)],
            settings: format!("ENDPOINT_URL=http://{CLOUD_IP}:{EC2_PORT}\n"),
            addresses: [None; 2],
            old_script: None,
            install: Some(INSTALL),
            secret: None,
        }
    }

    /// Returns the same with VRRP version 3 and fractions of seconds, where the first node takes the address back, and with a file
    /// that takes an instance down at once. keepalived goes before the tests: a pause of 0.7 s is a dead node.
    pub fn fast() -> Self {
        let mut setup = Self::example();
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
        for conf in &mut setup.conf {
            for (from, to) in changes {
                *conf = conf.replace(from, to);
            }
        }
        setup
    }

    /// Returns the files of a node, by their paths below its folder.
    pub fn files(&self, node: NodeName) -> Vec<(&'static str, String)> {
        let [one, two] = &self.conf;
        let conf = if node.number() == 1 { one } else { two };
        let [first, second] = self.addresses;
        let address = if node.number() == 1 { first } else { second };
        let mut files = vec![
            ("etc/keepalived.conf", conf.clone()),
            ("etc/aws.conf", self.settings.clone()),
            ("systemctl", include_str!("systemctl").to_owned()),
            ("addresses", address.map_or_else(String::new, |address| format!("{address}\n"))),
            ("log/init.out", String::new()),
        ];
        files.extend(self.old_script.map(|script| ("etc/vrrp.sh", script.to_owned())));
        files.extend(self.install.map(|script| ("install", script.to_owned())));
        files
    }
}

/// Returns the elastic IP that a node has of its own, for as long as the floating one does not displace it.
pub fn own_address(node: NodeName) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, 50 + node.number())
}

/// Returns the name that the article and the guide give a node.
pub fn host_name(node: NodeName) -> String {
    format!("host0{}", node.number())
}

/// Returns the node that they call so.
pub fn node_of(host_name: &str) -> Option<NodeName> {
    host_name.strip_prefix("host0").and_then(|number| format!("n{number}").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_pair_is_the_examples_with_every_change_made() {
        for conf in Setup::fast().conf {
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
        let [one, two] = Setup::article().conf;
        assert!(one.contains("unicast_src_ip 10.18.16.11") && one.contains("        10.18.18.11"));
        assert!(two.contains("unicast_src_ip 10.18.18.11") && two.contains("        10.18.16.11"));
        assert!(two.contains("state BACKUP") && two.contains("priority 101"));
    }
}
