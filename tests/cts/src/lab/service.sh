#!/bin/sh
# In place of service in a node: service NAME VERB.
exec /run/harness/services "$2" "$1"
