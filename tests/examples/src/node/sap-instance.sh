#!/bin/sh
# Replaces SAPInstance, because no node has SAP: Dummy, which accepts the parameters that the examples set.
dummy=/usr/lib/ocf/resource.d/heartbeat/Dummy
[ "$1" = meta-data ] || exec $dummy "$@"
description='longdesc lang="en">x</longdesc><shortdesc lang="en">x</shortdesc'
parameters=
for name in InstanceName START_PROFILE AUTOMATIC_RECOVER IS_ERS; do
    parameters="$parameters<parameter name=\"$name\"><$description><content type=\"string\" /></parameter>"
done
$dummy meta-data | sed -e "s|</parameters>|$parameters&|" -e 's/agent name="Dummy"/agent name="SAPInstance"/'
