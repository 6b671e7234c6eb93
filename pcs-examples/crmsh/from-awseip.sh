#!/bin/sh
# From `awseip` to `eip` without downtime: the resource keeps its id, its parameters and its place; its type changes.
# Install eip on every node first (it does not touch awseip), then run this on one node, as root. Some seconds.
#
# While the resource is unmanaged nobody moves the address, also when a node dies.
set -eu

RESOURCE=${RESOURCE:-eip}

active=$(crm_resource --locate --resource "$RESOURCE" --quiet)

crm resource unmanage "$RESOURCE"

# The type, and nothing else. crmsh would ask for the whole resource again.
cibadmin --modify --xpath "//primitive[@id='$RESOURCE']" --xml-text "<primitive id='$RESOURCE' type='eip'/>"

# awseip's own parameters have no effect; these go, so that nobody wonders. `profile` stays, eip uses it.
for parameter in awscli api_delay curl_retries curl_sleep; do
    if crm_resource --resource "$RESOURCE" --get-parameter "$parameter" >/dev/null 2>&1; then
        crm resource param "$RESOURCE" delete "$parameter"
    fi
done

# What Pacemaker remembers was done by awseip: without this it would restart the resource as soon as it is managed. It
# looks again, on every node, with eip's eyes.
crm_resource --refresh --resource "$RESOURCE"
crm_resource --wait --timeout 60

# If eip does not find the address where awseip has left it, it stays unmanaged, and the address stays where it is.
if [ "$(crm_resource --locate --resource "$RESOURCE" --quiet)" != "$active" ]; then
    echo "eip does not see the address on $active; the reason is in \`crm status\`. $RESOURCE is still unmanaged" >&2
    exit 1
fi

crm resource meta "$RESOURCE" set allow-migrate true
crm --wait resource manage "$RESOURCE"
crm status
# The operations' timeouts are still awseip's (30 s each), which eip keeps to. Its own are 60 s: crm configure edit eip
