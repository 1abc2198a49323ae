#!/bin/sh
# Starts, stops or restarts the programs that daemons.json beside this file
# describes. One that runs already is left alone.
#
# usage: platform.sh [start|stop|restart]
here=$(dirname "$(readlink -f "$0")")

if [ $# -gt 1 ]; then
  echo "usage: $0 [start|stop|restart]"
  exit 2
fi
case ${1-start} in
start | stop | restart)
  exec posix-daemonize "${1-start}" --file "$here/daemons.json"
  ;;
*)
  echo 'unknown command'
  exit 1
  ;;
esac
