#!/bin/bash
# The files of a node with keepalived: the second half of node-init.sh, which documents machine_with_packages.
# shellcheck disable=SC2154  # NODE, FOLDER and SUBJECT are those of node-init.sh
machine_with_packages
chmod 600 /etc/keepalived/aws.conf
[ ! -e /etc/keepalived/vrrp.sh ] || chmod 755 /etc/keepalived/vrrp.sh
install -m 755 "$FOLDER/systemctl" /usr/local/sbin/systemctl
echo 0 >/run/flap

# Private addresses besides the harness's own, such as those in the article.
while read -r address; do
  ip address replace "$address/16" dev eth0
done <"$FOLDER/addresses"

# The service for which the article's check looks, by name.
cp /bin/sleep /run/harness/haproxy
/run/harness/haproxy infinity >&2 &
