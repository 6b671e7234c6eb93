#!/bin/sh
# Tunes the running cluster of minimal.sh, or yours, for fast detection. Run it on one node, as root; nothing stops.
#
# What happens when the active node dies, with the token at 1 s:
#
#   token        1.0 s   Corosync has not heard from the node for this long
#   consensus    1.2 s   1.2 x token: the others agree on who is left
#   Pacemaker    0.9 s   at most a second: working out what was lost, election, transition
#   agent        0.1 s   one AssociateAddress; on AWS a round trip or two to EC2, 0.2 to 1 s
#   -----------------
#   outage       3.2 s   2.2 x token + 1 s; on AWS the time until traffic follows comes on top
#
# Other tokens: 500 ms: 2.1 s, and false alarms on small instances; 2000 ms: 5.4 s; 3000 ms (Corosync's default): 7.6 s.
# The token matters only if a node dies. If the address is taken away, the outage is up to MONITOR plus 0.1 s.
set -eu

TOKEN=${TOKEN:-1000}     # ms
MONITOR=${MONITOR:-5s}   # a healthy monitor queries only the metadata service: five calls, a few milliseconds, free of charge
RESOURCE=${RESOURCE:-eip}

# Printed if the script stops early.
state='nothing has changed'
work=$(mktemp -d)
trap 'if [ $? = 0 ]; then rm -rf "$work"; else echo "$0 stopped: $state" >&2; fi' EXIT
trap 'exit 1' HUP INT TERM

# pcs 0.10.8 and later. Before, or if it complains, set it when you create the cluster: pcs cluster setup ... totem token=1000.
pcs cluster config update totem token="$TOKEN"

# All at once: the changes are made in a file, which is pushed at the end.
state="the token is $TOKEN ms, nothing else has changed"
pcs cluster cib "$work/before.xml"
cp "$work/before.xml" "$work/after.xml"
change() { pcs -f "$work/after.xml" "$@"; }
# Changes attributes of an operation. (`pcs resource update ... op` would replace the operation.)
operation() { # NAME ATTRIBUTES
    id=$(CIB_file="$work/after.xml" cibadmin --query \
        --xpath "//primitive[@id='$RESOURCE']//op[@name='$1'][not(instance_attributes)]" |
        sed -n '/<op /{s/.* id="\([^"]*\)".*/\1/p;q;}')
    if [ -z "$id" ]; then
        echo "$RESOURCE has no operation $1: pcs resource op add $RESOURCE $1 $2" >&2
        return 1
    fi
    CIB_file="$work/after.xml" cibadmin --modify --xpath "//op[@id='$id']" --xml-text "<op id='$id' $2/>"
}

# A failed start counts as one failure, like a failed monitor, and does not ban the node for good.
change property set start-failure-is-fatal=false

# The start retries within its timeout, so half a minute is enough.
operation monitor "interval='$MONITOR' timeout='20s'"
operation start "timeout='30s'"
operation stop "timeout='30s'"

# resource-stickiness      the address does not move back when a node returns
# migration-threshold      after the second failure on a node the address moves to the other one
# failure-timeout          failures expire after two minutes, so that an outage of AWS does not leave the resource stopped
# allow-migrate            planned moves during which the address always has a holder
# multiple-active          after a network split, the copy that is on the right node stays up.
#                          Pacemaker 2.1.3 and later; older versions use their default, stop_start
change resource meta "$RESOURCE" \
    resource-stickiness=100 \
    migration-threshold=2 \
    failure-timeout=2min \
    allow-migrate=true \
    multiple-active=stop_unexpected

state="unless it was refused, the change is in place: see pcs status. To take it back:
  pcs cluster cib-push $work/before.xml diff-against=$work/after.xml"
pcs cluster cib-push "$work/after.xml" diff-against="$work/before.xml" --wait=60

corosync-cmapctl -g runtime.config.totem.token
