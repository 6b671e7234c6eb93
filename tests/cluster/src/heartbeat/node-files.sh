#!/bin/bash
# The files of a node with Heartbeat: the second half of node-init.sh, which documents machine_with_packages.
# Host names as in the article.
# shellcheck disable=SC2154  # NODE, FOLDER and SUBJECT are those of node-init.sh
hostname "server${NODE#n}"
machine_with_packages heartbeat
chmod 600 /etc/ha.d/authkeys
if [ -e /etc/init.d/elastic-ip ]; then chmod 755 /etc/init.d/elastic-ip; fi

# Heartbeat's package makes systemd create this.
install -d -m 1777 /run/lock/subsys
install -d -m 750 -o hacluster -g haclient /run/heartbeat /run/heartbeat/{ccm,crm,dopd} /run/crm
