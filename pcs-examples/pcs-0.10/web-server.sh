#!/bin/sh
# The address goes where the web server runs. Starts from the cluster of minimal.sh or overlay.sh; run it on one
# node, as root.
#
# In a group, members start in order and stop in reverse order, all on one node. The server comes first: the address
# moves to a node that serves already, and leaves it before the server stops. (An Elastic IP is not configured on the
# node's interface, so the server starts without it. An overlay address is (RESOURCE=overlay): the server has to listen
# on all addresses, as with `listen 80;`, or on this one with net.ipv4.ip_nonlocal_bind=1.)
#
# First, on every node: install nginx, and disable it in systemd: systemctl disable --now nginx
set -eu

RESOURCE=${RESOURCE:-eip}
NGINX=${NGINX:-/usr/sbin/nginx}
NGINX_CONF=${NGINX_CONF:-/etc/nginx/nginx.conf}
CHECK_URL=${CHECK_URL:-http://127.0.0.1/} # what the server must answer; curl has to be installed

# Printed if the script stops early.
state='nothing has changed'
work=$(mktemp -d)
trap 'if [ $? = 0 ]; then rm -rf "$work"; else echo "$0 stopped: $state" >&2; fi' EXIT
trap 'exit 1' HUP INT TERM
pcs cluster cib "$work/before.xml"
cp "$work/before.xml" "$work/after.xml"
change() { pcs -f "$work/after.xml" "$@"; }

# Two monitors: does it run and, less often, does it answer?
change resource create web ocf:heartbeat:nginx \
    httpd="$NGINX" configfile="$NGINX_CONF" status10url="$CHECK_URL" status10regex=. \
    op monitor interval=5s timeout=20s \
    op monitor interval=15s timeout=30s OCF_CHECK_LEVEL=10

change resource group add web-service web "$RESOURCE"

# The server has to stop and start anyway, so a live move of the address gains nothing; and if the group is formed while
# its members are on two nodes, Pacemaker would wait for the start before the move, and for the move before the start.
change resource meta "$RESOURCE" allow-migrate=false

# The address is released briefly here, until the server is up: it may only run where the server does.
state="unless it was refused, the change is in place: see pcs status. To take it back:
  pcs cluster cib-push $work/before.xml diff-against=$work/after.xml"
pcs cluster cib-push "$work/after.xml" diff-against="$work/before.xml" --wait=90

pcs resource status
