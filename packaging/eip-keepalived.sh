#!/bin/sh
# eip-keepalived, by a name that keepalived leaves it: of a script that is a link it runs what the link leads to, under that name.
exec /usr/lib/ocf/resource.d/heartbeat/eip --called-as=eip-keepalived "$@"
