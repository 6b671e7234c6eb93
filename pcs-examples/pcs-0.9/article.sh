#!/bin/sh
# The cluster of the article "Switching Elastic IPs with Pacemaker + Corosync in an AWS Multi-AZ Setup" (2015), built
# again on CentOS 7: two instances in two zones, 10.0.0.20 in one and 10.0.1.20 in the other, one Elastic IP, and a web
# server on both.
# Run each-node.sh on both first; then run this on one of them, as root. It takes a minute.
#
# What differs, and why:
#
#   in the article                           here
#   a user's keys with full EC2 access       an instance role with three actions (README.md, "Permissions"); no keys
#   AWS CLI, git clone, sed, on every node   one binary
#   source/destination check switched off    left on: an Elastic IP does not need it
#   no-quorum-policy=ignore                  left out: two nodes have two_node, and the survivor keeps quorum
#   crmd-transition-delay=0s                 left out: that is the default
#   setup --force, then cluster start        setup --start --enable --wait: --force would hide trouble
#   start on-fail=stop                       left out: after one failed start neither node would try again
#   stop on-fail=block                       left out: without fencing that is the default
#   no failure-timeout                       five minutes: migration-threshold=1 alone bans a node until a cleanup
#   the web server is not in the cluster     it runs on both nodes, monitored; the address is only where it runs
#   a move has an outage                     allow-migrate: a planned move has none
set -eu

NODE1=${NODE1:-ip-10-0-0-20.ap-northeast-1.compute.internal}
NODE2=${NODE2:-ip-10-0-1-20.ap-northeast-1.compute.internal}
ELASTIC_IP=${ELASTIC_IP:-52.192.203.215}
NGINX=${NGINX:-/usr/sbin/nginx} # for httpd, as in the article, use ocf:heartbeat:apache instead
NGINX_CONF=${NGINX_CONF:-/etc/nginx/nginx.conf}
CHECK_URL=${CHECK_URL:-http://127.0.0.1/} # what the server must answer; curl has to be installed

# Printed if the script stops early.
state='there is no cluster yet'
work=$(mktemp -d)
trap 'if [ $? = 0 ]; then rm -rf "$work"; else echo "$0 stopped: $state" >&2; fi' EXIT
trap 'exit 1' HUP INT TERM

# Asks for the password that each-node.sh has set.
pcs cluster auth "$NODE1" "$NODE2" -u hacluster
state="there may be a cluster that is not complete: pcs status. To start over: pcs cluster destroy --all"
pcs cluster setup --name aws-cluster "$NODE1" "$NODE2" --token 1000 --start --enable --wait=120

state="the cluster runs, and has no resources yet: what follows \`pcs cluster setup\` here is still to do"
pcs cluster cib "$work/before.xml"
cp "$work/before.xml" "$work/after.xml"
change() { pcs -f "$work/after.xml" "$@"; }

# See fencing.sh for when this is not good enough.
change property set stonith-enabled=false

# As in the article: the address never moves back by itself, and leaves a node after one failure.
change property set cluster-recheck-interval=1min # how often this Pacemaker checks failure-timeout
change resource defaults resource-stickiness=INFINITY migration-threshold=1 failure-timeout=5min

# Two monitors: does it run and, less often, does it answer?
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
# The article's test: stop Corosync on the active node (pcs cluster stop) and reload the page. Better: cut its power.
# To move the address by hand, name no target, because no preference for a node outweighs INFINITY: pcs resource move eip
# Once it has moved: pcs resource clear eip
