#!/bin/sh
# From two prepared nodes to a running address: the smallest cluster that keeps an Elastic IP on one of them.
# Run each-node.sh on both first; then run this on one of them, as root. It takes half a minute.
set -eu

NODE1=${NODE1:-node1} # names that both nodes can resolve
NODE2=${NODE2:-node2}
ELASTIC_IP=${ELASTIC_IP:-203.0.113.10}

# Printed if the script stops early.
state='there is no cluster yet'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# Asks for the password that each-node.sh has set.
pcs host auth "$NODE1" "$NODE2" -u hacluster

# For two nodes, pcs sets two_node in Corosync: the survivor keeps quorum, and no-quorum-policy stays as it is.
state="there may be a cluster that is not complete: pcs status. To start over: pcs cluster destroy --all"
pcs cluster setup eip-cluster "$NODE1" "$NODE2" --start --enable --wait=120

# Without fencing Pacemaker starts nothing unless this is false. AWS lets only one node hold the address, so for the address
# alone this is enough; if the service has data, see fencing.sh.
state="the cluster runs, and has no resource yet: what follows \`pcs cluster setup\` here is still to do"
pcs property set stonith-enabled=false

# Could this node take the address? This checks metadata service, credentials, permissions and address, and changes
# nothing. Run it on the other node too: that is the one that will have to take over.
OCF_ROOT=/usr/lib/ocf OCF_CHECK_LEVEL=10 OCF_RESKEY_elastic_ip="$ELASTIC_IP" \
    /usr/lib/ocf/resource.d/heartbeat/eip validate-all

state="unless it was refused, the resource is there: see pcs status. To take it back: pcs resource delete eip"
# allow-migrate: during a planned move the address always has a holder.
pcs resource create eip ocf:heartbeat:eip "elastic_ip=$ELASTIC_IP" \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true \
    --wait=60

pcs status
