#!/bin/sh
# CentOS 7. Readiness of the standby, before it is needed. Run it on one node, as root, with the cluster of minimal.sh, of overlay.sh
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
# Why a node is not ready: eipctl check
