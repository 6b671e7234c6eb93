#!/bin/sh
# Checks whether the standby is ready, before it is needed. Run it on one node, as root, with the cluster of minimal.sh, of overlay.sh
# or your own.
#
# ocf:heartbeat:eip-health runs on every node and checks once a minute whether the node could take the address: instance
# metadata, interface, private address, credentials; once an hour, by a dry run, whether EC2 would allow it. The result is a
# node attribute, shown by `crm_mon -A1`. The rule keeps the resource off a node that is known not to be ready, so that no
# planned move goes there, and the cluster loses no time there after a failure. An unknown result changes nothing, and a
# node that has the address always counts as ready: if no node could take it, the address stays where it is.
#
# Each resource needs a rule of its own, on its attribute eip-ready-RESOURCE.
set -eu

RESOURCE=${RESOURCE:-eip}

# Printed if the script stops early.
state='nothing has changed'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

state="unless it was refused, the change is in place: see crm status. To take it back:
  crm resource stop health-clone && crm configure delete $RESOURCE-ready health-clone health"
crm --wait configure load update - <<END
primitive health ocf:heartbeat:eip-health params dry_run_interval=3600 \
    op start timeout=60s op stop timeout=20s op monitor interval=60s timeout=60s
clone health-clone health
location $RESOURCE-ready $RESOURCE rule -inf: eip-ready-$RESOURCE eq false
END

crm_mon -A1
# To find out why a node is not ready: eipctl check
