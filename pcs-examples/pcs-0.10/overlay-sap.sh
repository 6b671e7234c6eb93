#!/bin/sh
# ASCS and ERS of an SAP system, each with an overlay address, on two nodes in two zones. Starts from a cluster of
# two nodes, such as that of minimal.sh; run it on one node, as root.
#
# NOT TESTED WITH SAP: its test has ocf:heartbeat:Dummy in place of ocf:heartbeat:SAPInstance. The addresses
# are tested.
#
# Operations, stickiness and constraints are those of the guides for the second enqueue server (ENSA2): AWS's for the
# addresses, Red Hat's for the instances. File systems are left out: both nodes have /sapmnt and /usr/sap mounted.
# Before this, do what overlay.sh requires in EC2, for both addresses. Afterwards: RESOURCE=sap-ascs sh fencing.sh.
set -eu

ASCS=${ASCS:-EN1_ASCS00_sapascs} # the names of the instance profiles
ERS=${ERS:-EN1_ERS10_sapers}
PROFILES=${PROFILES:-/sapmnt/EN1/profile}
ASCS_IP=${ASCS_IP:-192.168.10.1} # that of the host name sapascs
ERS_IP=${ERS_IP:-192.168.10.2}
ROUTING_TABLE=${ROUTING_TABLE:-auto} # every table of the VPC that has the route; or ids: rtb-...,rtb-...
RESOURCE=${RESOURCE:-ip-ascs}

# Printed if the script stops early.
state='nothing has changed'
work=$(mktemp -d)
trap 'if [ $? = 0 ]; then rm -rf "$work"; else echo "$0 stopped: $state" >&2; fi' EXIT
trap 'exit 1' HUP INT TERM
pcs cluster cib "$work/before.xml"
cp "$work/before.xml" "$work/after.xml"
change() { pcs -f "$work/after.xml" "$@"; }

# No allow-migrate: the rest of the group has to stop and start anyway.
address() {
    change resource create "$1" ocf:heartbeat:overlay-ip overlay_ip="$2" routing_table="$ROUTING_TABLE" \
        op start timeout=180s op stop timeout=180s op monitor interval=60s timeout=60s
}
instance() {
    name=$1 profile=$2
    shift 2
    change resource create "$name" ocf:heartbeat:SAPInstance \
        InstanceName="$profile" START_PROFILE="$PROFILES/$profile" AUTOMATIC_RECOVER=false "$@" \
        op start timeout=600s op stop timeout=600s op monitor interval=20s timeout=60s on-fail=restart
}
address "$RESOURCE" "$ASCS_IP"
instance sap-ascs "$ASCS"
change resource meta sap-ascs resource-stickiness=5000
change resource group add ascs "$RESOURCE" sap-ascs

address ip-ers "$ERS_IP"
instance sap-ers "$ERS" IS_ERS=true
change resource group add ers ip-ers sap-ers

# The two run on different nodes if there are two. If ASCS has to move to the node of ERS, ERS leaves only once ASCS has
# started, because ERS has the locks that ASCS takes over.
change constraint colocation add ers with ascs score=-5000
# shellcheck disable=SC1010  # this `then` is a word of pcs
change constraint order start ascs then stop ers kind=Optional symmetrical=false

state="unless it was refused, the change is in place: see pcs status. To take it back:
  pcs cluster cib-push $work/before.xml diff-against=$work/after.xml"
pcs cluster cib-push "$work/after.xml" diff-against="$work/before.xml" --wait=600

pcs resource status
