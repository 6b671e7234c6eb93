#!/bin/sh
# From two prepared nodes to a running address: the smallest cluster that keeps an Elastic IP on one of them.
# First each-node.sh on both; then this on one of them, as root. Half a minute.
set -eu

NODE1=${NODE1:-node1} # names that both nodes can resolve
NODE2=${NODE2:-node2}
ELASTIC_IP=${ELASTIC_IP:-203.0.113.10}

# Asks for the password that each-node.sh has set.
pcs host auth "$NODE1" "$NODE2" -u hacluster

# With two nodes, pcs tells Corosync so (two_node): the survivor keeps quorum, and no-quorum-policy stays as it is.
pcs cluster setup eip-cluster "$NODE1" "$NODE2" --start --enable --wait=120

# Without fencing Pacemaker starts nothing unless told so. AWS sees to it that the address has one holder at a time, so
# for the address alone that is enough; for what has data behind it, see fencing.sh.
pcs property set stonith-enabled=false

# Could this node take the address? Metadata service, credentials, permissions and address are looked at; nothing is
# changed. Run this line on the other node, too: it is the one that has to be able to when it matters.
crm_resource --validate=10 --class ocf --provider heartbeat --agent eip --option "elastic_ip=$ELASTIC_IP"

# allow-migrate: a planned move has no moment in which nobody holds the address.
pcs resource create eip ocf:heartbeat:eip "elastic_ip=$ELASTIC_IP" \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true \
    --wait=60

pcs status
