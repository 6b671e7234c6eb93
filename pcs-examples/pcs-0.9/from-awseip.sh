#!/bin/sh
# CentOS 7. From `awseip` to `eip` without downtime: the resource keeps its id, its parameters and its place; its
# type changes.
# Install eip on every node first (it does not touch awseip), then run this on one node, as root. Some seconds.
#
# While the resource is unmanaged nobody moves the address, also when a node dies.
set -eu

RESOURCE=${RESOURCE:-eip}

active=$(crm_resource --locate --resource "$RESOURCE" --quiet)

pcs resource unmanage "$RESOURCE"

# The type, and nothing else. pcs has no command for it.
cibadmin --modify --xpath "//primitive[@id='$RESOURCE']" --xml-text "<primitive id='$RESOURCE' type='eip'/>"

# awseip's own parameters have no effect; these go, so that nobody wonders. `profile` stays, eip uses it.
pcs resource update "$RESOURCE" awscli= api_delay= curl_retries= curl_sleep= \
    op start timeout=60s op stop timeout=60s op monitor timeout=20s

# What Pacemaker remembers was done by awseip: without this it would restart the resource as soon as it is managed. It
# looks again, on every node, with eip's eyes.
crm_resource --refresh --resource "$RESOURCE"
crm_resource --wait --timeout 60

# If eip does not find the address where awseip has left it, it stays unmanaged, and the address stays where it is.
if [ "$(crm_resource --locate --resource "$RESOURCE" --quiet)" != "$active" ]; then
    echo "eip does not see the address on $active; the reason is in \`pcs status\`. $RESOURCE is still unmanaged" >&2
    exit 1
fi

pcs resource meta "$RESOURCE" allow-migrate=true
pcs resource manage "$RESOURCE"
crm_resource --wait --timeout 60
pcs resource show
