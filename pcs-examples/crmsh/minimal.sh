#!/bin/sh
# The smallest configuration that keeps an Elastic IP on one of two nodes.
# Run each-node.sh on both first; then run this on one of them, as root. It takes half a minute.
set -eu

ELASTIC_IP=${ELASTIC_IP:-203.0.113.10}

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

# Without fencing Pacemaker starts nothing unless this is false. AWS lets only one node hold the address, so for the address
# alone this is enough; if the service has data, see fencing.sh.
crm configure property stonith-enabled=false
state='stonith-enabled is false; there is no resource yet'

# Could this node take the address? This checks metadata service, credentials, permissions and address, and changes
# nothing. Run it on the other node too: that is the one that will have to take over.
OCF_ROOT=/usr/lib/ocf OCF_CHECK_LEVEL=10 OCF_RESKEY_elastic_ip="$ELASTIC_IP" \
    /usr/lib/ocf/resource.d/heartbeat/eip validate-all

state="unless it was refused, the resource is there: see crm status. To take it back: crm configure delete --force eip"
# allow-migrate: during a planned move the address always has a holder.
crm --wait configure primitive eip ocf:heartbeat:eip \
    params "elastic_ip=$ELASTIC_IP" \
    op start timeout=60s interval=0 \
    op stop timeout=60s interval=0 \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true

crm status
