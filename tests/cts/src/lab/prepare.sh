#!/bin/sh
# Run in a node at each boot, with the node's state folder as argument: gives it the name under which cts-lab knows it, and puts the stand-in for
# `service` first in a shell's search path.
set -e
folder=${1##*/}
hostname "node${folder#n}"
mount -t tmpfs -o mode=755 tmpfs /usr/local/sbin
install -m 755 "$1/../service" /usr/local/sbin/service
install -m 755 "$1/../services" /run/harness/services
