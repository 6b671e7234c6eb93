#!/bin/sh
# The cluster of the article "Switching Elastic IPs with Pacemaker + Corosync in an AWS Multi-AZ Setup" (2015), built
# anew on CentOS 7: two instances in two zones, 10.0.0.20 in one and 10.0.1.20 in the other, one Elastic IP, and a web
# server on both.
# First each-node.sh on both; then this on one of them, as root. A minute.
#
# What is different, and why:
#
#   in the article                           here
#   a user's keys with full EC2 access       an instance role with three actions (README.md, "Permissions"); no keys
#   AWS CLI, git clone, sed, on every node   one binary
#   source/destination check switched off    left on: an Elastic IP does not need it
#   no-quorum-policy=ignore                  left out: two nodes have two_node, and the survivor keeps quorum
#   crmd-transition-delay=0s                 left out: that is the default
#   setup --force, then cluster start        setup --start --enable --wait: --force would hide trouble
#   start on-fail=stop                       left out: one failed start would end all attempts, on both nodes
#   stop on-fail=block                       left out: without fencing that is the default
#   no failure-timeout                       five minutes: migration-threshold=1 alone bans a node until a cleanup
#   the web server is nobody's business      it runs on both nodes, watched; the address is only where it runs
#   a move takes the address from everybody  allow-migrate: a planned move has no such moment
set -eu

NODE1=${NODE1:-ip-10-0-0-20.ap-northeast-1.compute.internal}
NODE2=${NODE2:-ip-10-0-1-20.ap-northeast-1.compute.internal}
ELASTIC_IP=${ELASTIC_IP:-52.192.203.215}
NGINX=${NGINX:-/usr/sbin/nginx} # the article has httpd: ocf:heartbeat:apache goes into the same place
NGINX_CONF=${NGINX_CONF:-/etc/nginx/nginx.conf}
CHECK_URL=${CHECK_URL:-http://127.0.0.1/} # what the server must answer; curl has to be installed

# Printed if the script stops early.
state='there is no cluster yet'
work=$(mktemp -d)
trap 'if [ $? = 0 ]; then rm -rf "$work"; else echo "$0 stopped: $state" >&2; fi' EXIT
trap 'exit 1' HUP INT TERM

# Asks for the password that each-node.sh has set.
pcs cluster auth "$NODE1" "$NODE2" -u hacluster
state="there may be a cluster that is not complete: pcs status. To begin anew: pcs cluster destroy --all"
pcs cluster setup --name aws-cluster "$NODE1" "$NODE2" --token 1000 --start --enable --wait=120

state="the cluster runs, and has no resources yet: what follows \`pcs cluster setup\` here is still to do"
pcs cluster cib "$work/before.xml"
cp "$work/before.xml" "$work/after.xml"
change() { pcs -f "$work/after.xml" "$@"; }

# See fencing.sh for when this is not good enough.
change property set stonith-enabled=false

# As in the article: it never goes back by itself, and one failure is enough to leave a node.
change property set cluster-recheck-interval=1min # how often this Pacemaker looks at failure-timeout
change resource defaults resource-stickiness=INFINITY migration-threshold=1 failure-timeout=5min

# Two monitors: is it there, and, less often, does it answer?
change resource create web ocf:heartbeat:nginx \
    httpd="$NGINX" configfile="$NGINX_CONF" status10url="$CHECK_URL" status10regex=. \
    op monitor interval=5s timeout=20s \
    op monitor interval=15s timeout=30s OCF_CHECK_LEVEL=10 \
    clone

change resource create eip ocf:heartbeat:eip "elastic_ip=$ELASTIC_IP" \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true
change constraint colocation add eip with web-clone
# shellcheck disable=SC1010  # this `then` is a word of pcs
change constraint order web-clone then eip

state="unless it was refused, the change is in place: see pcs status. To take it back:
  pcs cluster cib-push $work/before.xml diff-against=$work/after.xml"
pcs cluster cib-push "$work/after.xml" diff-against="$work/before.xml" --wait=90

pcs status
# The article's test: stop Corosync on the active node (pcs cluster stop) and reload the page. Better: pull its plug.
# To move the address by hand, name no target, because no wish for a node outweighs INFINITY: pcs resource move eip
# And when it has moved: pcs resource clear eip
