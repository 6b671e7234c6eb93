#!/bin/bash
# PID 1 of a node with Heartbeat. It runs in fresh mount, UTS, IPC and PID namespaces, already inside the node's network
# namespace, gives the node files of its own, says that it is ready, and then reaps orphans until it is killed.
#
# Arguments: NODE (name), FOLDER (the node's state, kept over restarts), PACKAGES (a folder with the .deb files), WEB (the
# harness's own binary, which is the node's web server).
set -e
NODE=$1 FOLDER=$2 PACKAGES=$3 WEB=$4

# The old /proc is still mounted: this is our process id as the machine sees it.
read -r HOST_PID _ </proc/self/stat

mount --make-rprivate /
# Copies of other runs' namespace mounts would keep those namespaces alive.
umount -R -l /run/netns 2>/dev/null || true
# The names of the article.
hostname "server${NODE#n}"
mount -t proc proc /proc
mount -t sysfs sysfs /sys

# What is installed or configured in the node is gone after a restart, and never reaches the machine.
mkdir -p "$FOLDER/ram"
mount -t tmpfs tmpfs "$FOLDER/ram"
for part in usr etc var/lib var/cache; do
  own=$FOLDER/ram/$part
  mkdir -p "$own/new" "$own/work"
  mount -t overlay overlay -o "lowerdir=/$part,upperdir=$own/new,workdir=$own/work" "/$part"
done
cp -a "$FOLDER/etc/." /etc/
chown -R root:root /etc/ha.d
chmod 600 /etc/ha.d/authkeys
if [ -e /etc/init.d/elastic-ip ]; then chmod 755 /etc/init.d/elastic-ip; fi

# The disk.
for name in heartbeat eip; do
  if [ ! -d "$FOLDER/lib/$name" ]; then
    mkdir -p "$FOLDER/lib"
    if [ -d "/var/lib/$name" ]; then cp -a "/var/lib/$name" "$FOLDER/lib/$name"; else mkdir -m 700 "$FOLDER/lib/$name"; fi
  fi
  mkdir -p "/var/lib/$name"
  mount --bind "$FOLDER/lib/$name" "/var/lib/$name"
done
mount --bind "$FOLDER/log" /var/log

# A restart of the node empties /run, as a boot does. What Heartbeat's package has systemd make there:
mount -t tmpfs -o mode=755 tmpfs /run
install -d -m 1777 /run/lock /run/lock/subsys
install -d -m 750 -o hacluster -g haclient /run/heartbeat /run/heartbeat/{ccm,crm,dopd} /run/crm
install -D -m 755 "$WEB" /run/harness/cluster
mkdir /run/packages
cp "$PACKAGES"/*.deb /run/packages/
# The index of the man pages takes dpkg seconds at each installation.
rm -f /var/lib/man-db/auto-update

# A person's ~/.aws must not become the node's credentials.
exec 3>"$FOLDER/init.pid" 4<"$FOLDER"
mount -t tmpfs -o mode=700 tmpfs /root
if [ -e /proc/self/fd/4/awssecret ]; then install -m 600 /proc/self/fd/4/awssecret /root/.awssecret; fi
exec 4<&-
printf '%s\n' "$HOST_PID" >&3
exec 3>&-

set +e
trap 'exit 0' TERM INT
while :; do sleep 3600 & wait $!; done
