#!/bin/sh
# Replaces service in a node: service NAME VERB.
exec /run/harness/services "$2" "$1"
