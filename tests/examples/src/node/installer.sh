#!/bin/sh
# Replaces a package manager in a node: records what would be installed.
for word in "$@"; do
    case $word in
    -* | install | in) ;;
    *) echo "$word" >>/var/log/installed ;;
    esac
done
