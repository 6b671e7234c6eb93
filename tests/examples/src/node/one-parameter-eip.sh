#!/bin/sh
# An agent that does what the older one-parameter `eip` is known to do, through the AWS CLI: for the examples that
# replace it. It reports success for every stop, and "not running" for every error.
case $1 in
meta-data)
    cat <<'END'
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="eip" version="0.9">
<version>1.0</version>
<longdesc lang="en">Keeps an Elastic IP on the instance.</longdesc>
<shortdesc lang="en">Elastic IP</shortdesc>
<parameters>
<parameter name="elastic_ip" required="1">
<longdesc lang="en">The address.</longdesc>
<shortdesc lang="en">Address</shortdesc>
<content type="string" />
</parameter>
</parameters>
<actions>
<action name="start" timeout="20" />
<action name="stop" timeout="20" />
<action name="monitor" timeout="20" interval="10" depth="0" />
<action name="meta-data" timeout="5" />
<action name="validate-all" timeout="20" />
</actions>
</resource-agent>
END
    exit 0
    ;;
esac

address=${OCF_RESKEY_elastic_ip:?}
imds=http://169.254.169.254/latest
token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $imds/api/token)
instance=$(curl -s -H "X-aws-ec2-metadata-token: $token" $imds/meta-data/instance-id)
ec2() { /usr/local/sbin/aws ec2 "$@"; }
ours() {
    ec2 describe-addresses --public-ips "$address" --output json | grep -q "\"$instance\"" || return 7
}

case $1 in
start) ours || ec2 associate-address --public-ip "$address" --instance-id "$instance" ;;
stop)
    if ours; then ec2 disassociate-address --public-ip "$address"; fi
    exit 0
    ;;
monitor) ours ;;
validate-all) exit 0 ;;
*) exit 3 ;;
esac
