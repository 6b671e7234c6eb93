#!/bin/sh
# Runs cts-lab beside the nodes: in the cloud's network, with its own host name, and with the nodes in its hosts file.
# Usage: exerciser.sh FOLDER ARGUMENT... (FOLDER is the run's state folder)
set -e
folder=$1
shift
mount --bind "$folder/hosts" /etc/hosts
hostname exerciser
export NODES="$folder" PATH="$folder/exerciser:$PATH" TZ=UTC
exec /usr/share/pacemaker/tests/cts-lab "$@"
