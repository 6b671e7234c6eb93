#!/bin/sh
# PID 1 of a test node: turns its fresh namespaces into a cluster node with the agent installed, then lives until its
# standard input is closed. Every process of the node ends with it. Usage: node-init.sh AGENT BUS,
# where BUS is the configuration of the node's system bus.
set -eu

agent=$1 bus=$2
# The old /proc is still mounted: this is the pid as the test sees it.
read -r pid _ </proc/self/stat
mount --make-rprivate /
mount -t proc proc /proc
echo node1 >/proc/sys/kernel/hostname

ip link set lo up
ip address add 169.254.169.254/32 dev lo

mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/agents
cp -a /usr/lib/ocf/resource.d/. /mnt/agents
install -m 755 "$agent" /mnt/agents/heartbeat/eip
ln -s eip /mnt/agents/heartbeat/vip
ln -s eip /mnt/agents/heartbeat/overlay-ip
ln -s eip /mnt/agents/heartbeat/eip-health
mkdir /mnt/sbin
ln -s /mnt/agents/heartbeat/eip /mnt/sbin/eipctl
mount --bind /mnt/agents /usr/lib/ocf/resource.d

# EC2 by its real name, with a certificate that only this node trusts; the test writes the file before the first request.
printf '%s\n' '127.0.0.1 localhost node1' '127.0.0.1 ec2.eu-west-1.amazonaws.com' >/mnt/hosts
mount --bind /mnt/hosts /etc/hosts
touch /mnt/ca.pem
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    [ ! -e "$bundle" ] || mount --bind /mnt/ca.pem "$bundle"
done

# Folders that the agent and the tests write, and files of the user who runs the tests that they could read.
for folder in /root /run /var/lib /var/log; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
install -d -m 1755 /run/resource-agents
install -d /run/lock /var/lib/pcsd /var/log/crmsh
install -d -m 750 -o hacluster -g haclient /run/crm /var/lib/pacemaker
for part in blackbox cib cores pengine; do
    install -d -m 750 -o hacluster -g haclient "/var/lib/pacemaker/$part"
done

# Pacemaker 3 queries systemd about every agent that it validates, and aborts if there is no bus for that.
mkdir /run/dbus
printf '%s\n' "$bus" >/mnt/bus.conf
dbus-daemon --config-file=/mnt/bus.conf --fork --nopidfile

echo "$pid"
exec cat
