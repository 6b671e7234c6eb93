#!/bin/bash
# The files of a node with Pacemaker: the second half of node-init.sh, which documents NODE, FOLDER and SUBJECT.
# shellcheck disable=SC2154  # NODE, FOLDER and SUBJECT are those of node-init.sh
OCF=/usr/lib/ocf/resource.d
ALERTS=/usr/share/pacemaker/alerts

install -d -m 1777 /run/shm
install -d -m 750 -o hacluster -g haclient /run/crm
install -d -m 1755 /run/resource-agents

# The disk: all of /var/lib, so that files that a package creates later belong to the node, too.
install -d -m 755 "$FOLDER/lib" "$FOLDER/lib/corosync" "$FOLDER/lib/pcsd" "$FOLDER/lib/heartbeat"
install -d -m 750 -o hacluster -g haclient "$FOLDER/lib/pacemaker" "$FOLDER"/lib/pacemaker/{blackbox,cib,cores,pengine}
if [ ! -e "$FOLDER/lib/pacemaker/cib/cib.xml" ]; then
  install -m 600 -o hacluster -g haclient "$FOLDER/seed-cib.xml" "$FOLDER/lib/pacemaker/cib/cib.xml"
fi
install -d -m 755 "$FOLDER/log" "$FOLDER"/log/{corosync,pcsd,crmsh}
install -d -m 770 -o hacluster -g haclient "$FOLDER/log/pacemaker"
install -d -m 750 -o root -g haclient "$FOLDER/etc-pacemaker"
printf '%s\n' "$NODE" >"$FOLDER/hostname"

# The machine's agents and the one under test.
rm -rf "$FOLDER/resource.d"
cp -a "$OCF" "$FOLDER/resource.d"
install -m 755 "$SUBJECT" "$FOLDER/resource.d/heartbeat/eip"
ln -sf eip "$FOLDER/resource.d/heartbeat/vip"
ln -sf eip "$FOLDER/resource.d/heartbeat/overlay-ip"
ln -sf eip "$FOLDER/resource.d/heartbeat/eip-health"
ln -s "$OCF/heartbeat/eip" /run/harness/eipctl
rm -rf "$FOLDER/alerts"
cp -a "$ALERTS" "$FOLDER/alerts"
ln -sf "$OCF/heartbeat/eip" "$FOLDER/alerts/eip-alert"

mount --bind "$FOLDER/resource.d" "$OCF"
mount --bind "$FOLDER/alerts" "$ALERTS"
# Only if a test has created one: changing accounts or certificates needs all of /etc.
[ ! -d "$FOLDER/etc" ] || mount --bind "$FOLDER/etc" /etc
mount --bind "$FOLDER/etc-corosync" /etc/corosync
mount --bind "$FOLDER/etc-pacemaker" /etc/pacemaker
mount --bind "$FOLDER/hosts" /etc/hosts
[ ! -e /etc/hostname ] || mount --bind "$FOLDER/hostname" /etc/hostname
mount --bind "$FOLDER/log" /var/log
mount --bind "$FOLDER/lib" /var/lib

# Anything else that a test needs on its nodes, at each boot.
[ ! -x "$FOLDER/prepare" ] || "$FOLDER/prepare" "$FOLDER"
