#!/bin/sh
# What `nohup python -u /opt/start.py > /var/log/start.out 2>&1 &` is meant to do.
#
# usage: start.sh [command argument...]
[ $# -gt 0 ] || set -- python3 /opt/start.py
exec "${POSIX_DAEMONIZE:-posix-daemonize}" run --line-buffered \
  --pidfile "${PIDFILE:-/run/start.pid}" \
  --stdout "${LOG:-/var/log/start.out}" -- "$@"
