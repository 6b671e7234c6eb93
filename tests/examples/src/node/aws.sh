#!/bin/sh
# The real AWS CLI, for the agents that need one. It has its own CA bundle, so the node's has to be configured.
export PYTHONPATH=/run/harness/python AWS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt AWS_DEFAULT_REGION=eu-west-1
exec python3 -W ignore -m awscli "$@"
