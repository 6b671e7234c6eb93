#!/bin/sh
# CentOS 7. From two prepared nodes in two zones to a running overlay address: the smallest cluster that keeps a private
# address on one of them. Run each-node.sh on both first; then run this on one of them, as root. It takes half a minute.
#
# First, once, in EC2:
#  - create a route for the address in the route table of all clients, to the interface of either node:
#      aws ec2 create-route --route-table-id rtb-... --destination-cidr-block 192.168.10.1/32 --network-interface-id eni-...
#  - switch off the source/destination check on every node's interface:
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

# For two nodes, pcs sets two_node in Corosync: the survivor keeps quorum, and no-quorum-policy stays as it is.
state="there may be a cluster that is not complete: pcs status. To start over: pcs cluster destroy --all"
# The token, in ms: see fast.sh. With pcs 0.9 it is set here; later, edit /etc/corosync/corosync.conf.
pcs cluster setup --name overlay-cluster "$NODE1" "$NODE2" --token 1000 --start --enable --wait=120

# Without fencing Pacemaker starts nothing unless this is false. For a first try only: nodes that cannot see each other
# would take the routes from each other. RESOURCE=overlay sh fencing.sh is the next step.
state="the cluster runs, and has no resource yet: what follows \`pcs cluster setup\` here is still to do"
pcs property set stonith-enabled=false

# Could this node take the address? This checks routes, permissions and the source/destination check, and changes
# nothing. Run it on the other node too: that is the one that will have to take over.
OCF_ROOT=/usr/lib/ocf OCF_CHECK_LEVEL=10 OCF_RESKEY_overlay_ip="$OVERLAY_IP" OCF_RESKEY_routing_table="$ROUTING_TABLE" \
    /usr/lib/ocf/resource.d/heartbeat/overlay-ip validate-all

state="unless it was refused, the resource is there: see pcs status. To take it back: pcs resource delete $RESOURCE"
# allow-migrate: during a planned move every route always has a target.
pcs resource create "$RESOURCE" ocf:heartbeat:overlay-ip "overlay_ip=$OVERLAY_IP" "routing_table=$ROUTING_TABLE" \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true \
    --wait=60

pcs status
