#!/bin/sh
# Tunes the running cluster of minimal.sh, or yours, for fast detection. Run it on one node, as root; nothing stops.
#
# What follows the death of the active node, with the token at 1 s:
#
#   token        1.0 s   Corosync has heard nothing from the node for so long
#   consensus    1.2 s   1.2 x token: the others agree on who is left
#   Pacemaker    0.9 s   at most a second: what was lost, election, transition
#   agent        0.1 s   one AssociateAddress; on AWS a round trip or two to EC2, 0.2 to 1 s
#   -----------------
#   outage       3.2 s   2.2 x token + 1 s; on AWS the time until traffic follows comes on top
#
# Other tokens: 500 ms: 2.1 s, and false alarms on small instances; 2000 ms: 5.4 s; 3000 ms (Corosync's default): 7.6 s.
# Death of the node is all that the token is about. Somebody takes the address away: up to MONITOR, then 0.1 s.
set -eu

TOKEN=${TOKEN:-1000}   # ms
MONITOR=${MONITOR:-5s} # a healthy monitor asks the metadata service alone: five calls, a few milliseconds, free of charge
RESOURCE=${RESOURCE:-eip}

# Printed if the script stops early.
state='nothing has changed'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# It stands in a file that every node has; all nodes read it again.
grep -Eq "^[[:space:]]*token: $TOKEN\$" /etc/corosync/corosync.conf || {
    echo "first, on every node: crm corosync set totem.token $TOKEN" >&2
    exit 1
}
corosync-cfgtool -R
state="the token is $TOKEN ms, nothing else has changed"

# Changes attributes of an operation. (crmsh would ask for the whole resource again.)
operation() { # NAME ATTRIBUTES
    id=$(cibadmin --query --xpath "//primitive[@id='$RESOURCE']//op[@name='$1'][not(instance_attributes)]" |
        sed -n '/<op /{s/.* id="\([^"]*\)".*/\1/p;q;}')
    if [ -z "$id" ]; then
        echo "$RESOURCE has no operation $1 $2: crm configure edit $RESOURCE" >&2
        return 1
    fi
    cibadmin --modify --xpath "//op[@id='$id']" --xml-text "<op id='$id' $2/>"
}
# The start tries again and again within its own time, so half a minute is a fair trial.
state="some of the settings below are in place, others not: it can be run again"
operation monitor "interval='$MONITOR' timeout='20s'"
operation start "timeout='30s'"
operation stop "timeout='30s'"

# A start that failed counts as one failure, like a monitor's, and does not ban the node for good.
crm configure property start-failure-is-fatal=false

# resource-stickiness      a node that comes back does not draw the address to it
# migration-threshold      the second failure on a node sends the address to the other one
# failure-timeout          after two quiet minutes failures are forgotten, so that no outage of AWS ends in "stopped"
# allow-migrate            planned moves without a moment in which nobody holds the address
# multiple-active          after a split of the network, the copy that is where it belongs stays up.
#                          Pacemaker 2.1.3 and later; older ones take the word for their default, stop_start
for setting in resource-stickiness=100 migration-threshold=2 failure-timeout=2min allow-migrate=true \
    multiple-active=stop_unexpected; do
    crm resource meta "$RESOURCE" set "${setting%%=*}" "${setting#*=}"
done
state='all settings are in place; the cluster had not settled within a minute: crm status'
crm_resource --wait --timeout 60

corosync-cmapctl -g runtime.config.totem.token
