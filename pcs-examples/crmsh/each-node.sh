#!/bin/sh
# Before everything else, on every node, as root: packages, Corosync's configuration, and the cluster's services.
# The agent itself comes from its package, or from `make install`.
# (On SLES, `crm cluster init` and `crm cluster join` do the same interactively; this shows the steps.)
set -eu

NODE1=${NODE1:-node1} # as `uname -n` prints it
NODE2=${NODE2:-node2}
ADDRESS1=${ADDRESS1:-10.0.0.20} # their private addresses
ADDRESS2=${ADDRESS2:-10.0.1.20}
TOKEN=${TOKEN:-1000} # ms; for its effect on the time of a takeover see fast.sh

# Printed if the script stops early.
state='everything is still to do'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# Debian's packages start a cluster of one node with this name. Any other one is not this script's to end.
if grep '^ *cluster_name:' /etc/corosync/corosync.conf 2>/dev/null | grep -qv ': *debian$'; then
    state="this node is in a cluster already: nothing was changed"
    exit 1
fi
if command -v apt-get >/dev/null; then
    apt-get -y install corosync pacemaker crmsh resource-agents fence-agents
    # Debian's packages start a cluster of one node.
    systemctl stop pacemaker corosync
    rm -f /var/lib/pacemaker/cib/*
else
    zypper --non-interactive install corosync pacemaker crmsh resource-agents fence-agents
fi

# The same file on both. two_node: the survivor keeps quorum. It implies wait_for_all: if both were down,
# neither starts anything until it has seen the other.
state='packages are installed; Corosync is not configured yet'
# Corosync 2, as on SLES 12 and 15, has no knet, and would fall back to multicast, which a VPC does not have.
version=$(corosync -v)
case $version in
*"version '2."*) transport=udpu ;;
*"version '"*) transport=knet ;;
*)
    echo "corosync -v prints no version: '$version'" >&2
    exit 1
    ;;
esac
cat >/etc/corosync/corosync.conf <<END
totem {
  version: 2
  cluster_name: eip-cluster
  transport: $transport
  token: $TOKEN
}
nodelist {
  node {
    name: $NODE1
    nodeid: 1
    ring0_addr: $ADDRESS1
  }
  node {
    name: $NODE2
    nodeid: 2
    ring0_addr: $ADDRESS2
  }
}
quorum {
  provider: corosync_votequorum
  two_node: 1
}
logging {
  to_syslog: yes
}
END

state='Corosync is configured; still to do: systemctl enable --now corosync pacemaker'
systemctl enable --now corosync pacemaker

# The nodes' security group has to allow UDP 5405 between them.
