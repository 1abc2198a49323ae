"""Runs a command and sees all that descends from it to its end.

usage: reaper.py COMMAND [ARGUMENT...]

A second process becomes the subreaper: the parent of every orphan. When one
ends, {"orphan": PID, "status": NUMBER} or {"orphan": PID, "signal": NUMBER}
is written as a line to the descriptor that REPORT_FD names.

The first process ends as the command did, at the moment it did.
"""
import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36


def run(command):
    pid = os.fork()
    if pid != 0:
        return pid
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # python ignores them
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f'{command[0]}: {error}\n'.encode())
    os._exit(127)


def describe(pid, status):
    if os.WIFSIGNALED(status):
        return {'orphan': pid, 'signal': os.WTERMSIG(status)}
    return {'orphan': pid, 'status': os.WEXITSTATUS(status)}


def reap(command, ended):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl')
    report = int(os.environ['REPORT_FD'])
    child = run(command)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return
        if pid == child:
            os.write(ended, str(status).encode())
            os.close(ended)
        else:
            os.write(report, f'{json.dumps(describe(pid, status))}\n'.encode())


def end_as(status):
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


def main(command):
    if not command:
        sys.exit(__doc__)
    ended, tell = os.pipe()
    if os.fork() == 0:
        os.close(ended)
        reap(command, tell)
        os._exit(0)
    os.close(tell)
    end_as(int(os.read(ended, 32)))


main(sys.argv[1:])
