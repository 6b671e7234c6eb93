#!/bin/sh
# Announces every move of an address once, from the node that made it, with the duration of each phase and an estimate of the outage.
# Starts from minimal.sh, or from your cluster; run it on one node, as root. Nothing stops. Install eip on every node first.
#
# RECIPIENT  syslog               one line in the system log
#            command=/PATH        a program, with the line as its argument and the fields in EIP_ALERT_... variables; as hacluster
#            https://HOST/PATH    a webhook, which gets JSON in a POST; retried until eip_alert_timeout
#
# For several recipients, run it again with another ID. Pacemaker kills an alert agent after TIMEOUT, so eip_alert_timeout is shorter.
set -eu

ID=${ID:-eip-moves}
RECIPIENT=${RECIPIENT:-syslog}
TIMEOUT=${TIMEOUT:-30s}

# Printed if the script stops early.
state="unless it was refused, the change is in place: see crm configure show $ID. To take it back:
  crm configure delete $ID"
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

crm --wait configure load update - <<END
alert $ID /usr/share/pacemaker/alerts/eip-alert \
    attributes eip_alert_timeout=20 \
    meta timeout=$TIMEOUT \
    to { "$RECIPIENT" }
END

crm configure show "$ID"
