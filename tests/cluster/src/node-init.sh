#!/bin/bash
# PID 1 of a cluster node. It runs in new mount, UTS, IPC and PID namespaces, already inside the node's network
# namespace, gives the node its own files, reports that it is ready, and then reaps orphans until it is killed.
#
# Arguments: NODE (name), FOLDER (the node's state, kept over restarts), SUBJECT (the agent under test, or a folder with .deb
# files), WEB (the harness's own binary, which is the node's web server). node-files.sh beside this file prepares what the
# cluster manager needs.
set -e
NODE=$1 FOLDER=$2 SUBJECT=$3 WEB=$4
HERE=$(dirname "$0")

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

# A restart of the node empties /run, like a boot.
mount -t tmpfs -o mode=755 tmpfs /run
install -d -m 1777 /run/lock
install -D -m 755 "$WEB" /run/harness/cluster

# Pacemaker 3 queries systemd about every agent that it validates, and aborts if there is no bus for that.
mkdir /run/dbus
dbus-daemon --config-file="$HERE/bus.conf" --fork --nopidfile

# Gives the node its own copy of folders of the machine. Changes are lost at a restart and never reach the machine.
own_copies_of() {
  mkdir -p "$FOLDER/ram"
  mount -t tmpfs tmpfs "$FOLDER/ram"
  for part in "$@"; do
    mkdir -p "$FOLDER/ram/$part/new" "$FOLDER/ram/$part/work"
    mount -t overlay overlay -o "lowerdir=/$part,upperdir=$FOLDER/ram/$part/new,workdir=$FOLDER/ram/$part/work" "/$part"
  done
}

# Keeps folders below /var/lib over restarts, like a disk.
on_disk() {
  for name in "$@"; do
    if [ ! -d "$FOLDER/lib/$name" ]; then
      mkdir -p "$FOLDER/lib"
      if [ -d "/var/lib/$name" ]; then cp -a "/var/lib/$name" "$FOLDER/lib/$name"; else mkdir -m 700 "$FOLDER/lib/$name"; fi
    fi
    mkdir -p "/var/lib/$name"
    mount --bind "$FOLDER/lib/$name" "/var/lib/$name"
  done
}

# Creates a node on which packages can be installed, with the configuration files of the test; the packages are in /run/packages.
machine_with_packages() {
  own_copies_of usr etc var/lib var/cache
  cp -a "$FOLDER/etc/." /etc/
  on_disk eip "$@"
  mount --bind "$FOLDER/log" /var/log
  mkdir /run/packages
  cp "$SUBJECT"/*.deb /run/packages/
  # Updating the index of the man pages would take dpkg seconds at each installation.
  rm -f /var/lib/man-db/auto-update
}

# shellcheck source=/dev/null  # each cluster manager has its own
. "$HERE/node-files.sh"

# Opened first, because the state folder may be below /root, which is hidden here: a user's ~/.aws must not become the
# node's credentials.
exec 3>"$FOLDER/init.pid" 4<"$FOLDER"
mount -t tmpfs -o mode=700 tmpfs /root
if [ -d /proc/self/fd/4/root ]; then
  cp -r /proc/self/fd/4/root/. /root/
  chmod -R go= /root
fi
exec 4<&-
printf '%s\n' "$HOST_PID" >&3
exec 3>&-

set +e
trap 'exit 0' TERM INT
while :; do sleep 3600 & wait $!; done
