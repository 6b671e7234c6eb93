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
work=$(mktemp -d)
trap 'if [ $? = 0 ]; then rm -rf "$work"; else echo "$0 stopped: $state" >&2; fi' EXIT
trap 'exit 1' HUP INT TERM
pcs cluster cib "$work/before.xml"
cp "$work/before.xml" "$work/after.xml"
change() { pcs -f "$work/after.xml" "$@"; }

change resource create health ocf:heartbeat:eip-health dry_run_interval=3600 \
    op monitor interval=60s timeout=60s clone
change constraint location "$RESOURCE" rule score=-INFINITY "eip-ready-$RESOURCE" eq false

state="unless it was refused, the change is in place: see pcs status. To take it back:
  pcs cluster cib-push $work/before.xml diff-against=$work/after.xml"
pcs cluster cib-push "$work/after.xml" diff-against="$work/before.xml" --wait=90

crm_mon -A1
# To find out why a node is not ready: eipctl check
