#!/bin/sh
# CentOS 7. From `aws-vpc-move-ip` to `overlay-ip` without an outage: the resource keeps its id, its
# parameters, its operations and its place; its type changes.
# Install eip on every node first (it does not touch aws-vpc-move-ip), then run this on one node, as root. It takes a few seconds.
# Before CentOS 7.5, crm_resource --refresh was a different command: replace each --refresh below with --cleanup.
# The nodes' role needs one more permission, to see the source/destination check: ec2:DescribeNetworkInterfaces.
#
# While the resource is unmanaged, the cluster does not move the address, even if a node dies. If this script stops early,
# it prints how to go back.
set -eu

RESOURCE=${RESOURCE:-vpcip}

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
state="$unmanaged pcs resource manage $RESOURCE"
pcs resource unmanage "$RESOURCE"

# A backup of the resource.
before=$(mktemp)
cibadmin --query --xpath "//primitive[@id='$RESOURCE']" >"$before"
state="$unmanaged
  cibadmin --replace --xpath \"//primitive[@id='$RESOURCE']\" --xml-file $before
  crm_resource --refresh --resource $RESOURCE && crm_resource --wait --timeout 60
  pcs resource manage $RESOURCE"

# Changes only the type. pcs has no command for that.
cibadmin --modify --xpath "//primitive[@id='$RESOURCE']" --xml-text "<primitive id='$RESOURCE' type='overlay-ip'/>"

# Pacemaker's history is that of aws-vpc-move-ip: without this it would restart the resource as soon as it is managed.
# It now probes every node with overlay-ip, which checks the device and the routes.
# Idle first: Pacemaker waits for a monitor whose history it has deleted meanwhile, for its timeout and a minute.
crm_resource --wait --timeout 60
crm_resource --refresh --resource "$RESOURCE"
crm_resource --wait --timeout 60

# If overlay-ip does not find the address where aws-vpc-move-ip left it, the resource stays unmanaged, and the address
# stays where it is.
if [ "$(crm_resource --locate --resource "$RESOURCE" --quiet)" != "$active" ]; then
    echo "overlay-ip does not see the address on $active; the reason is in \`pcs status\`" >&2
    exit 1
fi

# These no longer have an effect. All others stay: overlay-ip uses them.
pcs resource update "$RESOURCE" lookup_type= awscli= awscli_timeout= curl_retries= curl_sleep=
# As above: the history is that of a resource with these parameters.
crm_resource --wait --timeout 60
crm_resource --refresh --resource "$RESOURCE"
crm_resource --wait --timeout 60

pcs resource manage "$RESOURCE"
state="$RESOURCE is managed again, and had not settled within a minute: pcs status"
crm_resource --wait --timeout 60
rm -f "$before"
pcs resource show
# The operations are still those of aws-vpc-move-ip, with the guides' 180 s and 60 s if you followed them. An address
# that is in no group can now move without a gap: pcs resource meta vpcip allow-migrate=true
