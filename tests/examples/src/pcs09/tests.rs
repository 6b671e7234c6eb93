//! Each line was also given to pcs 0.9.169 itself, with the same verdict.

use super::*;

fn verdict(line: &str) -> Result<Parsed, String> {
    parse(&line.split(' ').collect::<Vec<_>>())
}

#[test]
fn what_pcs_0_9_takes_is_taken() {
    for line in [
        "cluster auth node1 node2 -u hacluster",
        "cluster setup --name aws-cluster node1 node2 --token 1000 --start --enable --wait=120",
        "cluster cib before.xml",
        "cluster cib-push after.xml diff-against=before.xml --wait=60",
        "property set stonith-enabled=false",
        "-f cib.xml property set cluster-recheck-interval=1min start-failure-is-fatal=false",
        "resource create eip ocf:heartbeat:eip elastic_ip=203.0.113.10 op monitor interval=10s timeout=20s meta allow-migrate=true --wait=60",
        "resource create web ocf:heartbeat:nginx op monitor interval=5s op monitor interval=15s OCF_CHECK_LEVEL=10 clone interleave=true",
        "resource update eip op start timeout=60s op monitor interval=5s timeout=20s",
        "resource update eip awscli= api_delay=",
        "resource meta eip resource-stickiness=100 failure-timeout=2min",
        "resource defaults resource-stickiness=INFINITY migration-threshold=1",
        "resource group add web-service web eip",
        "resource unmanage eip",
        "constraint colocation add eip with web-clone",
        "constraint colocation add eip with web-clone INFINITY",
        "constraint colocation add ers with ascs score=-5000",
        "constraint order web-clone then eip",
        "constraint location eip rule score=-INFINITY eip-ready-eip eq false",
        "constraint order start ascs then stop ers kind=Optional symmetrical=false",
        "stonith create fence fence_aws region=eu-west-1 pcmk_host_map=n1:i-1;n2:i-2 op monitor interval=5min",
        "resource show",
        "status",
    ] {
        assert_eq!(verdict(line).map(drop), Ok(()), "{line}");
    }
}

#[test]
fn what_came_with_pcs_0_10_is_refused() {
    for (line, why) in [
        ("host auth node1 node2 -u hacluster", "no command `host auth`"),
        ("cluster setup aws-cluster node1 node2", "--name"),
        ("cluster setup --name a node1 addr=10.0.0.20 node2", "`addr=10.0.0.20` has no place"),
        ("cluster setup --name a node1 node2 totem token=1000", "`token=1000` has no place"),
        ("cluster setup --name a node1 node2 totem", "sections"),
        ("cluster config update totem token=1000", "no command `cluster config`"),
        ("resource defaults update resource-stickiness=100", "`update` is not name=value"),
        ("resource status", "no command `resource status`"),
        ("resource config eip", "no command `resource config`"),
        ("stonith status", "no command `stonith status`"),
        ("property config", "no command `property config`"),
    ] {
        let refused = verdict(line).unwrap_err();
        assert!(refused.contains(why), "{line}: {refused}");
    }
}

#[test]
fn what_no_pcs_takes_is_refused() {
    for (line, why) in [
        ("property set priority-fencing-delay", "not name=value"),
        ("property set stonith-enable=false", "no property"),
        ("resource create eip", "an id and an agent"),
        ("resource create eip ocf:heartbeat:eip elastic_ip", "not name=value"),
        ("resource create eip ocf:heartbeat:eip op monitor intervall=10s", "no option of an operation"),
        ("resource create eip ocf:heartbeat:eip op interval=10s", "name of an action"),
        ("resource create eip ocf:heartbeat:eip --waits=10", "no option of `resource create`"),
        ("resource meta eip", "an id and name=value"),
        ("constraint order web-clone then eip sometimes", "no place"),
        ("constraint order start ascs stop ers", "needs A then B"),
        ("constraint location eip rule score=-INFINITY eip-ready-eip is false", "no expression"),
        ("cluster cib-push after.xml before.xml", "diff-against"),
        ("cluster setup --name", "needs a value"),
    ] {
        let refused = verdict(line).unwrap_err();
        assert!(refused.contains(why), "{line}: {refused}");
    }
}
