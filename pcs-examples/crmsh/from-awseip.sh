#!/bin/sh
# From `awseip` to `eip` without downtime: the resource keeps its id, its parameters, its operations and its place; its
# type changes.
# Install eip on every node first (it does not touch awseip), then run this on one node, as root. It takes a few seconds.
#
# While the resource is unmanaged, the cluster does not move the address, even if a node dies. If this script stops early,
# it prints how to go back.
set -eu

RESOURCE=${RESOURCE:-eip}

# Printed if the script stops early.
state='nothing has changed'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# crm_resource exits 0 even if the resource is not running.
active=$(crm_resource --locate --resource "$RESOURCE" --quiet)
if [ -z "$active" ]; then
    echo "$RESOURCE is not started anywhere" >&2
    exit 1
fi

unmanaged="$RESOURCE is unmanaged: the cluster does not move the address, even if a node dies. To go back:"
state="$unmanaged crm resource manage $RESOURCE"
crm resource unmanage "$RESOURCE"

# A backup of the resource.
before=$(mktemp)
cibadmin --query --xpath "//primitive[@id='$RESOURCE']" >"$before"
state="$unmanaged
  cibadmin --replace --xpath \"//primitive[@id='$RESOURCE']\" --xml-file $before
  crm_resource --refresh --resource $RESOURCE && crm_resource --wait --timeout 60
  crm resource manage $RESOURCE"

# Changes only the type. In crmsh you would have to enter the whole resource again.
cibadmin --modify --xpath "//primitive[@id='$RESOURCE']" --xml-text "<primitive id='$RESOURCE' type='eip'/>"

# Pacemaker's history is that of awseip: without this it would restart the resource as soon as it is managed. It now
# probes every node with eip.
# Idle first: Pacemaker waits for a monitor whose history it has deleted meanwhile, for its timeout and a minute.
crm_resource --wait --timeout 60
crm_resource --refresh --resource "$RESOURCE"
crm_resource --wait --timeout 60

# If eip does not find the address where awseip left it, the resource stays unmanaged, and the address stays where it is.
if [ "$(crm_resource --locate --resource "$RESOURCE" --quiet)" != "$active" ]; then
    echo "eip does not see the address on $active; the reason is in \`crm status\`" >&2
    exit 1
fi

# These parameters of awseip have no effect in eip and are removed to avoid confusion, now that no monitor of awseip can miss them. `profile` stays, eip uses it.
# (crm_resource exits 0 even if a parameter is not set; deleting one that is not set is an error in Pacemaker 3.)
for parameter in awscli api_delay curl_retries curl_sleep; do
    if [ -n "$(crm_resource --resource "$RESOURCE" --get-parameter "$parameter" 2>/dev/null)" ]; then
        crm resource param "$RESOURCE" delete "$parameter"
    fi
done
# As above: the history is that of a resource with these parameters.
crm_resource --wait --timeout 60
crm_resource --refresh --resource "$RESOURCE"
crm_resource --wait --timeout 60

crm resource meta "$RESOURCE" set allow-migrate true
crm resource manage "$RESOURCE"
state="$RESOURCE is managed again, and had not settled within a minute: crm status"
crm_resource --wait --timeout 60
rm -f "$before"
crm status
# The operations are still awseip's, and eip uses their timeouts (30 s unless configured otherwise). Its own default
# for start and stop is 60 s.
