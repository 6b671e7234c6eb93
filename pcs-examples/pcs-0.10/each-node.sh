#!/bin/sh
# Before everything else, on every node, as root: packages, the cluster user's password, and the daemon behind pcs.
# The agent itself comes from its package, or from `make install`.
set -eu

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
    apt-get -y install pcs pacemaker resource-agents fence-agents
    # Debian's packages start a cluster of one node, and pcs would refuse to create another.
    pcs cluster destroy
else
    # They are in the High Availability repository; Alma and Rocky: dnf config-manager --set-enabled highavailability
    dnf -y install pcs pacemaker resource-agents fence-agents-aws
fi

# Asks twice. Give all nodes the same password: minimal.sh asks for it.
state='packages are installed; the password and the daemon are still to do'
passwd hacluster
# Newer packages create the account expired; `pcs host auth` reports that as a wrong password.
chage -E -1 hacluster

state='the password is set; the daemon is still to do: systemctl enable --now pcsd'
systemctl enable --now pcsd

# The nodes' security group has to allow TCP 2224 (pcsd) and UDP 5405 (Corosync) between them.
# Each node finds the others by name: DNS, or one line for each in /etc/hosts.
