#!/bin/bash
# Run in a node at each boot, with the node's state folder as argument: turns it into a machine with everything that the examples
# expect. Stand-ins start services and install packages; everything else is real.
set -e
FOLDER=$1
SHARED=$FOLDER/..

# pcs calls systemctl by its path, scripts by its name.
mount --bind "$SHARED/systemctl" "$(readlink -f "$(command -v systemctl)")"

mount -t tmpfs -o mode=755 tmpfs /usr/local/sbin
# The package manager that the machine has, so that each-node.sh takes the right branch.
for manager in apt-get dnf zypper; do
  if [ -x "/usr/bin/$manager" ]; then install -m 755 "$SHARED/installer" "/usr/local/sbin/$manager"; fi
done
install -m 755 "$SHARED/aws" /usr/local/sbin/aws
install -m 755 "$SHARED/one-parameter-eip" /run/harness/one-parameter-eip
install -m 755 "$SHARED/sap-instance" /usr/lib/ocf/resource.d/heartbeat/SAPInstance

# For the examples for pcs 0.9, which find it by its name.
mkdir /run/harness/pcs-0.9
printf '#!/bin/sh\nexec /run/harness/cluster pcs-0.9 "$@"\n' >/run/harness/pcs-0.9/pcs
chmod 755 /run/harness/pcs-0.9/pcs
install -m 755 "$SHARED/installer" /run/harness/pcs-0.9/yum

# The examples unchanged, and the AWS CLI's packages: their folders may be hidden later.
cp /usr/lib/ocf/resource.d/heartbeat/eip /run/harness/eip
mkdir /run/harness/examples /run/harness/python
cp -r "$SHARED"/examples/. /run/harness/examples/
if [ -d "$SHARED/python" ]; then mount --bind "$(readlink -f "$SHARED/python")" /run/harness/python; fi

# Debian's packages leave a configured cluster behind, like the one that the harness has made; other distributions' do not.
if [ ! -e "$FOLDER/installed" ]; then
  sed -i 's/cluster_name: .*/cluster_name: debian/' /etc/corosync/corosync.conf
  [ -x /usr/bin/apt-get ] || rm -f /etc/corosync/corosync.conf /var/lib/pacemaker/cib/*
  # As created by packages for Pacemaker 3: expired.
  chage -E 1 hacluster
  touch "$FOLDER/installed"
fi
