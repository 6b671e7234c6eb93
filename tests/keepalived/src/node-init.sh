#!/bin/bash
# PID 1 of a node with keepalived. It runs in fresh mount, UTS, IPC and PID namespaces, already inside the node's network
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
hostname "$NODE"
mount -t proc proc /proc
mount -t sysfs sysfs /sys

# What is installed or configured in the node is gone after a restart, and never reaches the machine.
mkdir -p "$FOLDER/ram"
mount -t tmpfs tmpfs "$FOLDER/ram"
for part in usr etc var/lib; do
  own=$FOLDER/ram/$part
  mkdir -p "$own/new" "$own/work"
  mount -t overlay overlay -o "lowerdir=/$part,upperdir=$own/new,workdir=$own/work" "/$part"
done
mkdir -p /etc/keepalived
cp "$FOLDER"/etc/* /etc/keepalived/
chmod 600 /etc/keepalived/aws.conf
[ ! -e /etc/keepalived/vrrp.sh ] || chmod 755 /etc/keepalived/vrrp.sh
install -m 755 "$FOLDER/systemctl" /usr/local/sbin/systemctl

# The disk.
mkdir -p "$FOLDER/lib/eip" /var/lib/eip
chmod 700 "$FOLDER/lib/eip"
mount --bind "$FOLDER/lib/eip" /var/lib/eip
mount --bind "$FOLDER/log" /var/log

# A restart of the node empties /run, as a boot does.
mount -t tmpfs -o mode=755 tmpfs /run
install -d -m 1777 /run/lock
install -D -m 755 "$WEB" /run/harness/cluster
mkdir /run/packages
cp "$PACKAGES"/*.deb /run/packages/
echo 0 >/run/flap

# Private addresses beside the harness's own, such as those of the article.
while read -r address; do
  ip address replace "$address/16" dev eth0
done <"$FOLDER/addresses"

# A person's ~/.aws must not become the node's credentials.
exec 3>"$FOLDER/init.pid" 4<"$FOLDER"
mount -t tmpfs -o mode=700 tmpfs /root
if [ -e /proc/self/fd/4/install ]; then sh -e /proc/self/fd/4/install >&2; fi
exec 4<&-

# The service that the article's check looks for, by name.
cp /bin/sleep /run/harness/haproxy
/run/harness/haproxy infinity >&2 &

printf '%s\n' "$HOST_PID" >&3
exec 3>&-

set +e
trap 'exit 0' TERM INT
while :; do sleep 3600 & wait $!; done
