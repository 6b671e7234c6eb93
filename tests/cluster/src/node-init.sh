#!/bin/bash
# PID 1 of a cluster node. It runs in fresh mount, UTS, IPC and PID namespaces, already inside the node's network
# namespace, gives the node files of its own, says that it is ready, and then reaps orphans until it is killed.
#
# Arguments: NODE (name), FOLDER (the node's state, kept over restarts), AGENT (the agent under test), WEB (the
# harness's own binary, which is the node's web server).
set -e
NODE=$1 FOLDER=$2 AGENT=$3 WEB=$4
OCF=/usr/lib/ocf/resource.d

# The old /proc is still mounted: this is our process id as the machine sees it.
read -r HOST_PID _ </proc/self/stat

mount --make-rprivate /
# Copies of other runs' namespace mounts would keep those namespaces alive.
umount -R -l /run/netns 2>/dev/null || true
hostname "$NODE"
mount -t proc proc /proc
# Shows the node's own interfaces, not the machine's.
mount -t sysfs sysfs /sys
# libqb keeps its ring buffers here.
mount -t tmpfs -o mode=1777 tmpfs /dev/shm

# A restart of the node empties /run, as a boot does.
mount -t tmpfs -o mode=755 tmpfs /run
install -d -m 1777 /run/lock /run/shm
install -d -m 750 -o hacluster -g haclient /run/crm
install -d -m 1755 /run/resource-agents
install -D -m 755 "$WEB" /run/harness/cluster

# The disk: all of /var/lib, so that also what a package would create later is the node's own.
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
install -m 755 "$AGENT" "$FOLDER/resource.d/heartbeat/eip"
ln -sf eip "$FOLDER/resource.d/heartbeat/vip"
ln -s "$OCF/heartbeat/eip" /run/harness/eipctl

mount --bind "$FOLDER/resource.d" "$OCF"
# Only where a test has made one: what changes accounts or certificates needs all of /etc.
[ ! -d "$FOLDER/etc" ] || mount --bind "$FOLDER/etc" /etc
mount --bind "$FOLDER/etc-corosync" /etc/corosync
mount --bind "$FOLDER/etc-pacemaker" /etc/pacemaker
mount --bind "$FOLDER/hosts" /etc/hosts
[ ! -e /etc/hostname ] || mount --bind "$FOLDER/hostname" /etc/hostname
mount --bind "$FOLDER/log" /var/log
mount --bind "$FOLDER/lib" /var/lib

# What else a test wants of its nodes, at each boot.
[ ! -x "$FOLDER/prepare" ] || "$FOLDER/prepare" "$FOLDER"

# Opened first, since the state folder may lie below /root, which is hidden here: a person's ~/.aws must not become the
# node's credentials.
exec 3>"$FOLDER/init.pid"
mount -t tmpfs -o mode=700 tmpfs /root
printf '%s\n' "$HOST_PID" >&3
exec 3>&-

set +e
trap 'exit 0' TERM INT
while :; do sleep 3600 & wait $!; done
