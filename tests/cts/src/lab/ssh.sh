#!/bin/sh
# Replaces ssh for cts-lab, which calls it as: ssh OPTION... NODE COMMAND. The nodes are namespaces of this machine.
while :; do
    case $1 in
    -l | -o) shift 2 ;;
    -*) shift ;;
    *) break ;;
    esac
done
node=$1
shift
# bash replaces itself with a single command, so that a pkill by pattern does not find itself in the arguments of its shell.
exec nsenter -t "$(cat "$NODES/n${node#node}/init.pid")" -m -u -i -n -p -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LC_ALL=C.UTF-8 HOME=/root TZ=UTC bash -c "$*"
