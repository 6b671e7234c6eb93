#!/bin/sh
# Readiness of the standby, before it is needed. Run it on one node, as root, with the cluster of minimal.sh, of overlay.sh
# or your own.
#
# ocf:heartbeat:eip-health runs on every node and checks once a minute whether the node could take the address: instance
# metadata, interface, private address, credentials; once an hour, by a dry run, whether EC2 would allow it. The result is a
# node attribute, shown by `crm_mon -A1`. The rule keeps the resource off a node that is known to be unfit, so that no
# planned move ends there, and the cluster does not lose time there after a failure. What is not known changes nothing, and
# a node that has the address is never found unfit: if all are, it stays where it is.
#
# A rule for each resource: its attribute is eip-ready-RESOURCE.
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
# Why a node is not ready: eipctl check
