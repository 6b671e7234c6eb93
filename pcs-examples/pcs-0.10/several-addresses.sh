#!/bin/sh
# A second Elastic IP, on the same node as the first. Starts from minimal.sh; run it on one node, as root.
#
# A private address carries one Elastic IP. The first address is on each node's primary private address, so the second
# needs one more on each node, and nodes in different zones have different ones: hence the list with one entry per node.
#
# First, on every node: a secondary private address on the interface, in EC2 and on the node, e.g.
#   aws ec2 assign-private-ip-addresses --network-interface-id eni-... --private-ip-addresses 10.0.0.21
#   ip address add 10.0.0.21/24 dev eth0      # Amazon Linux does this by itself
set -eu

NODE1=${NODE1:-node1} # as `pcs status nodes` prints them
NODE2=${NODE2:-node2}
PRIVATE1=${PRIVATE1:-10.0.0.21}
PRIVATE2=${PRIVATE2:-10.0.1.21}
ELASTIC_IP=${ELASTIC_IP:-203.0.113.11} # the second address
RESOURCE=${RESOURCE:-eip}              # the first resource

# Printed if the script stops early.
state='nothing has changed'
work=$(mktemp -d)
trap 'if [ $? = 0 ]; then rm -rf "$work"; else echo "$0 stopped: $state" >&2; fi' EXIT
trap 'exit 1' HUP INT TERM
pcs cluster cib "$work/before.xml"
cp "$work/before.xml" "$work/after.xml"
change() { pcs -f "$work/after.xml" "$@"; }

change resource create eip-second ocf:heartbeat:eip "elastic_ip=$ELASTIC_IP" \
    private_ip_address="$NODE1=$PRIVATE1,$NODE2=$PRIVATE2" \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true

# Together, but in no order, so both move at the same time. Without this, Pacemaker spreads them over the nodes.
change constraint colocation add eip-second with "$RESOURCE"

state="unless it was refused, the change is in place: see pcs status. To take it back:
  pcs cluster cib-push $work/before.xml diff-against=$work/after.xml"
pcs cluster cib-push "$work/after.xml" diff-against="$work/before.xml" --wait=60

pcs resource status
