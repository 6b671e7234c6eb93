#!/bin/sh
# Preserves the name eip-keepalived: if a script is a link, keepalived resolves it and runs the target under its own name.
exec /usr/lib/ocf/resource.d/heartbeat/eip --called-as=eip-keepalived "$@"
