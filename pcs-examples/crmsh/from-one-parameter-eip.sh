#!/bin/sh
# From the older `eip` agent, the one with the single parameter elastic_ip, to this one, without downtime.
# Both are ocf:heartbeat:eip, so nothing changes in the cluster but the file. Run it as root on the node where the
# address is:
#
#   sh from-one-parameter-eip.sh 1      the resource becomes unmanaged; the address stays where it is
#   (on every node)                     install the package, or replace the old `eip` with the new one
#   sh from-one-parameter-eip.sh 2      checks the result, cleans up, and makes the resource managed again
#
# Between 1 and 2 nothing moves the address, even if a node dies: do not leave it in this state.
set -eu

RESOURCE=${RESOURCE:-eip}

# Printed if the script stops early.
state='nothing has changed'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM
unmanaged="$RESOURCE is unmanaged: the cluster does not move the address, even if a node dies.
Once the agent works on every node:
  crm resource manage $RESOURCE"

case ${1:-} in
1)
    state=$unmanaged
    crm resource unmanage "$RESOURCE"
    echo "$RESOURCE is unmanaged. Put the new agent on every node, then: sh $0 2"
    ;;
2)
    state=$unmanaged
    active=$(crm_resource --locate --resource "$RESOURCE" --quiet)
    if [ "$active" != "$(crm_node --name)" ]; then
        echo "the address is on ${active:-no node}: run \`sh $0 2\` there" >&2
        exit 1
    fi
    # The new agent checks the address. Unless it returns 0, the resource stays unmanaged, and the address stays where it is.
    crm_resource --force-check --resource "$RESOURCE"
    # Could this node take it? The role needs no additional permissions; see README.md, "Permissions".
    OCF_ROOT=/usr/lib/ocf OCF_CHECK_LEVEL=10 \
        OCF_RESKEY_elastic_ip="$(crm_resource --resource "$RESOURCE" --get-parameter elastic_ip)" \
        /usr/lib/ocf/resource.d/heartbeat/eip validate-all

    # The old agent's README has on-fail=stop for the start: after one failure no node would try again. Nothing else in
    # the operations changes.
    start=$(cibadmin --query --xpath "//primitive[@id='$RESOURCE']//op[@name='start'][@on-fail='stop']" 2>/dev/null |
        sed -n '/<op /{s/.* id="\([^"]*\)".*/\1/p;q;}')
    if [ -n "$start" ]; then
        cibadmin --modify --xpath "//op[@id='$start']" --xml-text "<op id='$start' on-fail='restart'/>"
    fi
    crm resource meta "$RESOURCE" set allow-migrate true

    crm resource manage "$RESOURCE"
    state="$RESOURCE is managed again, and had not settled within a minute: crm status"
    crm_resource --wait --timeout 60
    crm status
    ;;
*)
    echo "usage: sh $0 1, then the new agent on every node, then sh $0 2" >&2
    exit 2
    ;;
esac
