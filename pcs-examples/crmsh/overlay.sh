#!/bin/sh
# The smallest configuration that keeps an overlay address, which is private and crosses zones, on one of two nodes.
# Run each-node.sh on both first; then run this on one of them, as root. It takes half a minute.
#
# First, once, in EC2:
#  - create a route for the address in the route table of all clients, to the interface of either node:
#      aws ec2 create-route --route-table-id rtb-... --destination-cidr-block 192.168.10.1/32 --network-interface-id eni-...
#  - switch off the source/destination check on every node's interface:
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

# The cluster can be configured once the nodes have found each other and one of them leads, usually after half a minute.
# (crm cluster wait_for_startup does not wait for a leader, and without one crm --wait can wait forever.)
tries=120
until crm_mon --one-shot 2>/dev/null | grep -q 'partition with quorum'; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "the nodes do not find each other; see crm_mon --one-shot" >&2 && exit 1; }
    sleep 1
done

# Without fencing Pacemaker starts nothing unless this is false. For a first try only: nodes that cannot see each other
# would take the routes from each other. RESOURCE=overlay sh fencing.sh is the next step.
crm configure property stonith-enabled=false
state='stonith-enabled is false; there is no resource yet'

# Could this node take the address? This checks routes, permissions and the source/destination check, and changes
# nothing. Run it on the other node too: that is the one that will have to take over.
OCF_ROOT=/usr/lib/ocf OCF_CHECK_LEVEL=10 OCF_RESKEY_overlay_ip="$OVERLAY_IP" OCF_RESKEY_routing_table="$ROUTING_TABLE" \
    /usr/lib/ocf/resource.d/heartbeat/overlay-ip validate-all

state="unless it was refused, the resource is there: see crm status. To take it back:
  crm configure delete --force $RESOURCE"
# allow-migrate: during a planned move every route always has a target.
crm --wait configure primitive "$RESOURCE" ocf:heartbeat:overlay-ip \
    params "overlay_ip=$OVERLAY_IP" "routing_table=$ROUTING_TABLE" \
    op start timeout=60s interval=0 \
    op stop timeout=60s interval=0 \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true

crm status
