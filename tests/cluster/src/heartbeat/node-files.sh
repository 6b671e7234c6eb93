#!/bin/bash
# The files of a node with Heartbeat: the second half of node-init.sh, which says what machine_with_packages does.
# The names of the article.
# shellcheck disable=SC2154  # NODE, FOLDER and SUBJECT are those of node-init.sh
hostname "server${NODE#n}"
machine_with_packages heartbeat
chmod 600 /etc/ha.d/authkeys
if [ -e /etc/init.d/elastic-ip ]; then chmod 755 /etc/init.d/elastic-ip; fi

# What Heartbeat's package has systemd make.
install -d -m 1777 /run/lock/subsys
install -d -m 750 -o hacluster -g haclient /run/heartbeat /run/heartbeat/{ccm,crm,dopd} /run/crm
