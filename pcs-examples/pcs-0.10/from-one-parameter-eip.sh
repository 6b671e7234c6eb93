#!/bin/sh
# From the older `eip` agent, the one with the single parameter elastic_ip, to this one, without downtime.
# Both are ocf:heartbeat:eip, so nothing changes in the cluster but the file. Run it as root on the node where the
# address is:
#
#   sh from-one-parameter-eip.sh 1      the cluster takes its hands off the resource; the address stays where it is
#   (on every node)                     install the package, or put the new `eip` in the place of the old one
#   sh from-one-parameter-eip.sh 2      looks whether all is well, tidies up, and gives the resource back
#
# Between 1 and 2 nobody moves the address, also when a node dies: do not go for lunch.
set -eu

RESOURCE=${RESOURCE:-eip}

case ${1:-} in
1)
    pcs resource unmanage "$RESOURCE"
    echo "$RESOURCE is unmanaged. Put the new agent on every node, then: sh $0 2"
    ;;
2)
    active=$(crm_resource --locate --resource "$RESOURCE" --quiet)
    if [ "$active" != "$(crm_node --name)" ]; then
        echo "the address is on $active: run \`sh $0 2\` there" >&2
        exit 1
    fi
    # The new agent's own look at the address. Unless it ends with 0, nothing is given back, and the address stays.
    crm_resource --force-check --resource "$RESOURCE"
    # Could this node take it? The role needs no more than it had; see README.md, "Permissions".
    crm_resource --validate=10 --resource "$RESOURCE"

    # The old agent's README has on-fail=stop for the start: one failure on one node would end all attempts.
    pcs resource update "$RESOURCE" op start timeout=60s on-fail=restart op monitor interval=10s timeout=20s
    pcs resource meta "$RESOURCE" allow-migrate=true

    pcs resource manage "$RESOURCE"
    crm_resource --wait --timeout 60
    pcs resource status
    ;;
*)
    echo "usage: sh $0 1, then the new agent on every node, then sh $0 2" >&2
    exit 2
    ;;
esac
