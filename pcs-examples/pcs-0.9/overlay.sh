#!/bin/sh
# CentOS 7. From two prepared nodes in two zones to a running overlay address: the smallest cluster that keeps a private
# address on one of them. First each-node.sh on both; then this on one of them, as root. Half a minute.
#
# In EC2 first, once:
#  - a route for the address in every route table whose clients are to reach it, to the interface of either node:
#      aws ec2 create-route --route-table-id rtb-... --destination-cidr-block 192.168.10.1/32 --network-interface-id eni-...
#  - no source/destination check on the interface of every node:
#      aws ec2 modify-network-interface-attribute --network-interface-id eni-... --no-source-dest-check
set -eu

NODE1=${NODE1:-node1} # names that both nodes can resolve
NODE2=${NODE2:-node2}
OVERLAY_IP=${OVERLAY_IP:-192.168.10.1} # outside every range of the VPC
ROUTING_TABLE=${ROUTING_TABLE:-auto}   # every table of the VPC that has the route; or ids: rtb-...,rtb-...
RESOURCE=${RESOURCE:-overlay}

# Printed if the script stops early.
state='there is no cluster yet'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# Asks for the password that each-node.sh has set.
pcs cluster auth "$NODE1" "$NODE2" -u hacluster

# With two nodes, pcs tells Corosync so (two_node): the survivor keeps quorum, and no-quorum-policy stays as it is.
state="there may be a cluster that is not complete: pcs status. To begin anew: pcs cluster destroy --all"
# The token, in ms: see fast.sh. pcs 0.9 sets it here; later, edit /etc/corosync/corosync.conf.
pcs cluster setup --name overlay-cluster "$NODE1" "$NODE2" --token 1000 --start --enable --wait=120

# Without fencing Pacemaker starts nothing unless told so. Only for a first try: nodes that cannot see each other would
# take the routes from each other. RESOURCE=overlay sh fencing.sh is the next step.
state="the cluster runs, and has no resource yet: what follows \`pcs cluster setup\` here is still to do"
pcs property set stonith-enabled=false

# Could this node take the address? Routes, permissions and the source/destination check are looked at; nothing is
# changed. Run this line on the other node, too: it is the one that has to be able to when it matters.
OCF_ROOT=/usr/lib/ocf OCF_CHECK_LEVEL=10 OCF_RESKEY_overlay_ip="$OVERLAY_IP" OCF_RESKEY_routing_table="$ROUTING_TABLE" \
    /usr/lib/ocf/resource.d/heartbeat/overlay-ip validate-all

state="unless it was refused, the resource is there: see pcs status. To take it back: pcs resource delete $RESOURCE"
# allow-migrate: in a planned move no route is ever without a target.
pcs resource create "$RESOURCE" ocf:heartbeat:overlay-ip "overlay_ip=$OVERLAY_IP" "routing_table=$ROUTING_TABLE" \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true \
    --wait=60

pcs status
