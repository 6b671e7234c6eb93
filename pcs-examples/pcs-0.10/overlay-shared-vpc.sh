#!/bin/sh
# An overlay address in a shared VPC: its subnets are shared with the nodes' account, its route tables belong to another
# one, which has a role for the nodes to assume. Starts from a cluster of two nodes, such as that of minimal.sh; run it
# on one node, as root.
#
# First create the routes (see overlay.sh) and the role, in the account that owns the VPC. Its permissions, and the one
# that the nodes need to assume it, are in iam.md of eip's documents, "The overlay-address agent". In the nodes' account,
# switch off the source/destination check on every node's interface.
set -eu

OVERLAY_IP=${OVERLAY_IP:-192.168.10.1}
ROUTING_TABLE=${ROUTING_TABLE:-rtb-0123456789abcdef0,rtb-0fedcba9876543210}
ROUTING_TABLE_ROLE=${ROUTING_TABLE_ROLE:-arn:aws:iam::210987654321:role/cluster-routes}
RESOURCE=${RESOURCE:-overlay}

# Printed if the script stops early.
state='nothing has changed'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# Could this node take the address? This assumes the role and makes the calls that need it, changes only as dry runs.
# Run it on the other node too: that is the one that will have to take over.
OCF_ROOT=/usr/lib/ocf OCF_CHECK_LEVEL=10 OCF_RESKEY_overlay_ip="$OVERLAY_IP" OCF_RESKEY_routing_table="$ROUTING_TABLE" \
    OCF_RESKEY_routing_table_role="$ROUTING_TABLE_ROLE" /usr/lib/ocf/resource.d/heartbeat/overlay-ip validate-all

state="unless it was refused, the resource is there: see pcs status. To take it back: pcs resource delete $RESOURCE"
# The role is only for calls about route tables. All others are made with the node's own role, whose account has the interface.
pcs resource create "$RESOURCE" ocf:heartbeat:overlay-ip "overlay_ip=$OVERLAY_IP" "routing_table=$ROUTING_TABLE" \
    "routing_table_role=$ROUTING_TABLE_ROLE" \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true \
    --wait=60

pcs resource status
