#!/bin/sh
# Before everything else, on every node, as root: packages, the cluster user's password, and the daemon behind pcs.
# The agent itself comes from its package, or from `make install`.
set -eu

if command -v apt-get >/dev/null; then
    apt-get -y install pcs pacemaker resource-agents fence-agents
    # Debian's packages begin with a cluster of one node, and pcs would refuse to make another.
    pcs cluster destroy
else
    # They are in the High Availability repository; Alma and Rocky: dnf config-manager --set-enabled highavailability
    dnf -y install pcs pacemaker resource-agents fence-agents-aws
fi

# Asks twice. Give all nodes the same password: minimal.sh asks for it.
passwd hacluster

systemctl enable --now pcsd

# The nodes' security group has to let them reach each other at TCP 2224 (pcsd) and UDP 5405 (Corosync).
# Each node finds the others by name: DNS, or one line for each in /etc/hosts.
