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
state="unless it was refused, the change is in place: see crm status. To take it back:
  crm configure delete --force ascs-then-ers ascs-apart-ers ascs ers $RESOURCE ip-ers sap-ascs sap-ers"
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# No allow-migrate: the rest of the group has to stop and start anyway.
#
# The constraints: the two run on different nodes if there are two. If ASCS has to move to the node of ERS, ERS leaves
# only once ASCS has started, because ERS has the locks that ASCS takes over.
crm --wait configure load update - <<END
primitive $RESOURCE ocf:heartbeat:overlay-ip \
    params overlay_ip=$ASCS_IP routing_table=$ROUTING_TABLE \
    op start timeout=180s interval=0 \
    op stop timeout=180s interval=0 \
    op monitor interval=60s timeout=60s
primitive sap-ascs ocf:heartbeat:SAPInstance \
    params InstanceName=$ASCS START_PROFILE=$PROFILES/$ASCS AUTOMATIC_RECOVER=false \
    op start timeout=600s interval=0 \
    op stop timeout=600s interval=0 \
    op monitor interval=20s timeout=60s on-fail=restart \
    meta resource-stickiness=5000
group ascs $RESOURCE sap-ascs
primitive ip-ers ocf:heartbeat:overlay-ip \
    params overlay_ip=$ERS_IP routing_table=$ROUTING_TABLE \
    op start timeout=180s interval=0 \
    op stop timeout=180s interval=0 \
    op monitor interval=60s timeout=60s
primitive sap-ers ocf:heartbeat:SAPInstance \
    params InstanceName=$ERS START_PROFILE=$PROFILES/$ERS AUTOMATIC_RECOVER=false IS_ERS=true \
    op start timeout=600s interval=0 \
    op stop timeout=600s interval=0 \
    op monitor interval=20s timeout=60s on-fail=restart
group ers ip-ers sap-ers
colocation ascs-apart-ers -5000: ers ascs
order ascs-then-ers Optional: ascs:start ers:stop symmetrical=false
END

crm status
