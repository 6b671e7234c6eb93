#!/bin/sh
# The smallest configuration that keeps an overlay address, which is private and crosses zones, on one of two nodes.
# First each-node.sh on both; then this on one of them, as root. Half a minute.
#
# In EC2 first, once:
#  - a route for the address in every route table whose clients are to reach it, to the interface of either node:
#      aws ec2 create-route --route-table-id rtb-... --destination-cidr-block 192.168.10.1/32 --network-interface-id eni-...
#  - no source/destination check on the interface of every node:
#      aws ec2 modify-network-interface-attribute --network-interface-id eni-... --no-source-dest-check
# On SLES, cloud-netconfig has to leave the interface alone: CLOUD_NETCONFIG_MANAGE=no in its ifcfg file.
set -eu

OVERLAY_IP=${OVERLAY_IP:-192.168.10.1} # outside every range of the VPC
ROUTING_TABLE=${ROUTING_TABLE:-auto}   # every table of the VPC that has the route; or ids: rtb-...,rtb-...
RESOURCE=${RESOURCE:-overlay}

# Printed if the script stops early.
state='nothing is configured'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# Until the nodes have found each other and one of them leads, there is no cluster to configure: usually half a minute.
# (crm cluster wait_for_startup does not wait for a leader, and without one crm --wait can wait for ever.)
tries=120
until crm_mon --one-shot 2>/dev/null | grep -q 'partition with quorum'; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "the nodes do not find each other; crm_mon --one-shot says more" >&2 && exit 1; }
    sleep 1
done

# Without fencing Pacemaker starts nothing unless told so. Only for a first try: nodes that cannot see each other would
# take the routes from each other. RESOURCE=overlay sh fencing.sh is the next step.
crm configure property stonith-enabled=false
state='stonith-enabled is false; there is no resource yet'

# Could this node take the address? Routes, permissions and the source/destination check are looked at; nothing is
# changed. Run this line on the other node, too: it is the one that has to be able to when it matters.
OCF_ROOT=/usr/lib/ocf OCF_CHECK_LEVEL=10 OCF_RESKEY_overlay_ip="$OVERLAY_IP" OCF_RESKEY_routing_table="$ROUTING_TABLE" \
    /usr/lib/ocf/resource.d/heartbeat/overlay-ip validate-all

state="unless it was refused, the resource is there: see crm status. To take it back:
  crm configure delete --force $RESOURCE"
# allow-migrate: in a planned move no route is ever without a target.
crm --wait configure primitive "$RESOURCE" ocf:heartbeat:overlay-ip \
    params "overlay_ip=$OVERLAY_IP" "routing_table=$ROUTING_TABLE" \
    op start timeout=60s interval=0 \
    op stop timeout=60s interval=0 \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true

crm status
