#!/bin/sh
# Fencing by EC2 itself (fence_aws). Run it on one node, as root, with the cluster of minimal.sh, of overlay.sh or
# your own.
#
# Does an Elastic IP need it? The address itself does not: AWS never lets two nodes hold it. The service behind it may:
# a node that hangs or is cut off still has its disks mounted and its database open, and when it recovers, it still acts as
# the active one. Only fencing makes sure that it is down. Two things follow from the way EC2 works:
#  - a stopped instance keeps its Elastic IP: fencing does not release the address, the start on the other node takes it;
#  - fencing calls the same API from the same node, so a node that cannot fence could not take the address either.
# An overlay address (RESOURCE=overlay) does need it: EC2 lets nodes that cannot see each other take the routes from each
# other. The outage gets longer: the address moves once the instance is down, 10 to 60 s (a forced stop) instead of 3 s.
#
# Since August 2025 fence_aws has skip_os_shutdown, which is true unless it is set: the instance stops within seconds, without
# the shutdown of its operating system. Data not yet written to disk is lost, and so are writes in flight. With
# skip_os_shutdown=false a node that still answers shuts down first, and the takeover waits for that, up to power_timeout.
# It is not set here, because older agents reject it; if yours has it (fence_aws -o metadata), set the value you want.
#
# In addition to the permissions for the address, the role of the nodes needs those in ../fence-aws-policy.json.
set -eu

NODE1=${NODE1:-node1} # as `pcs status nodes` prints them
NODE2=${NODE2:-node2}
INSTANCE1=${INSTANCE1:-i-0123456789abcdef0}
INSTANCE2=${INSTANCE2:-i-0fedcba9876543210}
REGION=${REGION:-eu-west-1}
RESOURCE=${RESOURCE:-eip}

# Printed if the script stops early.
state='nothing has changed'
work=$(mktemp -d)
trap 'if [ $? = 0 ]; then rm -rf "$work"; else echo "$0 stopped: $state" >&2; fi' EXIT
trap 'exit 1' HUP INT TERM
pcs cluster cib "$work/before.xml"
cp "$work/before.xml" "$work/after.xml"
change() { pcs -f "$work/after.xml" "$@"; }

# An instance takes a while to stop and start again; the timeouts allow for that.
change stonith create fence fence_aws \
    region="$REGION" \
    pcmk_host_map="$NODE1:$INSTANCE1;$NODE2:$INSTANCE2" \
    power_timeout=240 pcmk_reboot_timeout=480 pcmk_reboot_retries=4 \
    op monitor interval=5min timeout=60s

# If the nodes lose each other, each tries to fence the other. The one with the address gets a head start and survives.
# Pacemaker 2.0.4 and later; before: a device for each node, one of them with pcmk_delay_base=15s.
change property set priority-fencing-delay=15s
change resource meta "$RESOURCE" priority=10

# Pacemaker 3.0.2 renamed the option to fencing-enabled, and ignores the old name if the new one is set.
switch=stonith-enabled
if grep -q 'name="fencing-enabled"' "$work/before.xml"; then switch=fencing-enabled; fi
change property set "$switch=true"

state="unless it was refused, the change is in place: see pcs status. To take it back:
  pcs cluster cib-push $work/before.xml diff-against=$work/after.xml"
pcs cluster cib-push "$work/after.xml" diff-against="$work/before.xml" --wait=90

pcs stonith status
# Now try it, on a quiet day: pcs stonith fence node2
