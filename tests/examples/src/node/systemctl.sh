#!/bin/bash
# Replaces systemctl in a node: starts and stops the cluster's services, as far as pcs and the examples use it.
export PCMK_logfacility=none PCMK_logfile=/var/log/pacemaker/pacemaker.log
enabled=/run/harness/enabled
mkdir -p $enabled

now=no words=()
for word in "$@"; do
  case $word in
  --now) now=yes ;;
  -*) ;;
  *) words+=("${word%.service}") ;;
  esac
done
verb=${words[0]}
services=("${words[@]:1}")

pid_of() {
  case $1 in
  corosync) pidof -s corosync ;;
  pacemaker) pidof -s pacemakerd ;;
  pcsd) pgrep -o -f '^[^ ]*python3? .*/usr/sbin/pcsd' ;;
  *) return 1 ;;
  esac
}

daemon() {
  local log=/var/log/$1.out
  shift
  # Without HOME, as under systemd.
  env -u HOME setsid "$@" </dev/null >>"$log" 2>&1 &
}

wait_for() {
  local tries=$1
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ "$tries" = 0 ]; then return 1; fi
    sleep 0.1
  done
}

start() {
  if pid_of "$1" >/dev/null; then return 0; fi
  case $1 in
  corosync)
    daemon corosync corosync -f
    wait_for 200 corosync-cfgtool -s
    ;;
  pacemaker)
    start corosync || return 1
    daemon pacemakerd pacemakerd -f
    wait_for 200 pid_of pacemaker
    ;;
  pcsd)
    daemon pcsd-ruby env RACK_ENV=production PCSD_DEBUG=false /usr/share/pcsd/pcsd
    daemon pcsd env PCSD_DEBUG=false PCSD_SESSION_LIFETIME=3600 /usr/sbin/pcsd
    wait_for 400 curl -sk -o /dev/null https://localhost:2224/
    ;;
  esac
}

stop() {
  local pid
  pid=$(pid_of "$1") || return 0
  if [ "$1" = pcsd ]; then return 0; fi
  if [ "$1" = corosync ]; then stop pacemaker || return 1; fi
  kill -TERM "$pid"
  wait_for 600 eval "! kill -0 $pid"
}

each() {
  local service
  for service in "${services[@]}"; do "$1" "$service" || exit 1; done
}
enable() { touch "$enabled/$1"; }
disable() { rm -f "$enabled/$1"; }
active() { if pid_of "$1" >/dev/null; then echo active; else echo inactive && return 3; fi; }

case $verb in
is-active) active "${services[0]}" ;;
is-enabled) if [ -e "$enabled/${services[0]}" ]; then echo enabled; else echo disabled && exit 1; fi ;;
list-unit-files) printf '%s.service enabled\n' corosync pacemaker pcsd ;;
enable)
  each enable
  if [ $now = yes ]; then each start; fi
  ;;
disable)
  each disable
  if [ $now = yes ]; then each stop; fi
  ;;
start) each start ;;
stop | kill) each stop ;;
esac
