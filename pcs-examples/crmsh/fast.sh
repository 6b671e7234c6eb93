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

TOKEN=${TOKEN:-1000}   # ms
MONITOR=${MONITOR:-5s} # a healthy monitor queries only the metadata service: five calls, a few milliseconds, free of charge
RESOURCE=${RESOURCE:-eip}

# Printed if the script stops early.
state='nothing has changed'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# The token is in a file on every node; all nodes reload it.
grep -Eq "^[[:space:]]*token: $TOKEN\$" /etc/corosync/corosync.conf || {
    echo "first, on every node: crm corosync set totem.token $TOKEN" >&2
    exit 1
}
corosync-cfgtool -R
state="the token is $TOKEN ms, nothing else has changed"

# Changes attributes of an operation. (In crmsh you would have to enter the whole resource again.)
operation() { # NAME ATTRIBUTES
    id=$(cibadmin --query --xpath "//primitive[@id='$RESOURCE']//op[@name='$1'][not(instance_attributes)]" |
        sed -n '/<op /{s/.* id="\([^"]*\)".*/\1/p;q;}')
    if [ -z "$id" ]; then
        echo "$RESOURCE has no operation $1 $2: crm configure edit $RESOURCE" >&2
        return 1
    fi
    cibadmin --modify --xpath "//op[@id='$id']" --xml-text "<op id='$id' $2/>"
}
# The start retries within its timeout, so half a minute is enough.
state="some of the settings below are in place, others not: it can be run again"
operation monitor "interval='$MONITOR' timeout='20s'"
operation start "timeout='30s'"
operation stop "timeout='30s'"

# A failed start counts as one failure, like a failed monitor, and does not ban the node for good.
crm configure property start-failure-is-fatal=false

# resource-stickiness      the address does not move back when a node returns
# migration-threshold      after the second failure on a node the address moves to the other one
# failure-timeout          failures expire after two minutes, so that an outage of AWS does not leave the resource stopped
# allow-migrate            planned moves during which the address always has a holder
# multiple-active          after a network split, the copy that is on the right node stays up.
#                          Pacemaker 2.1.3 and later; older versions use their default, stop_start
for setting in resource-stickiness=100 migration-threshold=2 failure-timeout=2min allow-migrate=true \
    multiple-active=stop_unexpected; do
    crm resource meta "$RESOURCE" set "${setting%%=*}" "${setting#*=}"
done
state='all settings are in place; the cluster had not settled within a minute: crm status'
crm_resource --wait --timeout 60

corosync-cmapctl -g runtime.config.totem.token
