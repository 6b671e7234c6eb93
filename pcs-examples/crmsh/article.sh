#!/bin/sh
# The cluster of the article "Switching Elastic IPs with Pacemaker + Corosync in an AWS Multi-AZ Setup" (2015), built
# again, with crmsh: two instances in two zones, one Elastic IP, a web server on both. First run, on both nodes,
#
#   NODE1=ip-10-0-0-20 ADDRESS1=10.0.0.20 NODE2=ip-10-0-1-20 ADDRESS2=10.0.1.20 sh each-node.sh
#
# then run this on one of them, as root. What differs from the article, and why: ../pcs-0.10/article.sh.
set -eu

ELASTIC_IP=${ELASTIC_IP:-52.192.203.215}
NGINX=${NGINX:-/usr/sbin/nginx} # for httpd, as in the article, use ocf:heartbeat:apache instead
NGINX_CONF=${NGINX_CONF:-/etc/nginx/nginx.conf}
CHECK_URL=${CHECK_URL:-http://127.0.0.1/} # what the server must answer; curl has to be installed

# Printed if the script stops early.
state='nothing is configured'
trap '[ $? = 0 ] || echo "$0 stopped: $state" >&2' EXIT
trap 'exit 1' HUP INT TERM

# Wait until the nodes have found each other and one of them leads; see minimal.sh.
tries=120
until crm_mon --one-shot 2>/dev/null | grep -q 'partition with quorum'; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "the nodes do not find each other; see crm_mon --one-shot" >&2 && exit 1; }
    sleep 1
done

# The defaults are the article's: the address never moves back by itself, and leaves a node after one failure, which
# expires after five minutes. See fencing.sh for when stonith-enabled=false is not good enough.
state="unless it was refused, the configuration is in place: see crm status. To change it: crm configure edit"
crm --wait configure load update - <<END
property stonith-enabled=false
rsc_defaults resource-stickiness=INFINITY migration-threshold=1 failure-timeout=5min
primitive web ocf:heartbeat:nginx \
    params httpd=$NGINX configfile=$NGINX_CONF status10url=$CHECK_URL status10regex=. \
    op start timeout=60s interval=0 \
    op stop timeout=60s interval=0 \
    op monitor interval=5s timeout=20s \
    op monitor interval=15s timeout=30s OCF_CHECK_LEVEL=10
clone web-clone web
primitive eip ocf:heartbeat:eip \
    params elastic_ip=$ELASTIC_IP \
    op start timeout=60s interval=0 \
    op stop timeout=60s interval=0 \
    op monitor interval=10s timeout=20s \
    meta allow-migrate=true
colocation eip-with-web inf: eip web-clone
order web-before-eip Mandatory: web-clone eip
END

crm status
# To move the address by hand, ban it from its node, because no preference for a node outweighs INFINITY:
# crm resource ban eip
# Once it has moved: crm resource clear eip
