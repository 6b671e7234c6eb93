#!/bin/sh
# In place of a package manager in a node: notes what was to be installed.
for word in "$@"; do
    case $word in
    -* | install | in) ;;
    *) echo "$word" >>/var/log/installed ;;
    esac
done
