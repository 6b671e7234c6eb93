#!/bin/sh
# CentOS 7. Before everything else, on every node, as root: packages, the cluster user's password, and the daemon behind
# pcs.
# The agent itself comes from its package, and needs neither the AWS CLI nor Python.
set -eu

# Printed if the script stops early.
state='everything is still to do'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

yum -y install pcs pacemaker resource-agents fence-agents-aws

# Asks twice. Give all nodes the same password: minimal.sh asks for it.
state='packages are installed; the password and the daemon are still to do'
passwd hacluster

state='the password is set; the daemon is still to do: systemctl start pcsd; systemctl enable pcsd'
systemctl start pcsd
systemctl enable pcsd

# The nodes' security group has to allow TCP 2224 (pcsd) and UDP 5405 (Corosync) between them.
# Each node finds the others by name: DNS, or one line for each in /etc/hosts.
