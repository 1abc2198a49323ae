"""Runs a command with what a parent process may leave to its children.

usage: odd-parent.py COMMAND [ARGUMENT...]

A blocked SIGUSR1 (Node opens it itself), an ignored SIGRTMIN+5, /etc/hostname
open as descriptor 9, a strange environment.
"""
import os
import signal
import sys

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
signal.signal(signal.SIGRTMIN + 5, signal.SIG_IGN)
for number in (signal.SIGPIPE, signal.SIGXFSZ):  # python ignores them
    signal.signal(number, signal.SIG_DFL)
os.dup2(os.open('/etc/hostname', os.O_RDONLY), 9, inheritable=True)
os.environ['IFS'] = 'x'
os.environ['LD_DEBUG_OUTPUT'] = '/nowhere'
os.execvp(sys.argv[1], sys.argv[1:])
