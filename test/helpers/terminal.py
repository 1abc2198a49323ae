"""Runs a command on a terminal of its own, as a terminal emulator does.

usage: terminal.py [--hangup-after-exit] [--interrupt-at=TEXT]
                   COMMAND [ARGUMENT...]

The command leads a new session whose controlling terminal is a fresh pty,
on its descriptors 0, 1 and 2; other descriptors are passed on to it. What
appears on the terminal is copied to standard output.

Without --hangup-after-exit the terminal stays until the command and everybody else
has closed it. With it the terminal is closed the moment the command exits.
Ctrl-C is typed once, as soon as TEXT has appeared on the terminal.

Ends as the command did: with its exit status, or by the same signal.
SIGTERM kills the command.
"""
import errno
import fcntl
import os
import resource
import select
import signal
import sys
import termios

CHUNK = 65536


def start(command):
    """Returns the pid of the command and the master side of its terminal."""
    master, slave = os.openpty()
    pid = os.fork()
    if pid != 0:
        os.close(slave)
        return pid, master
    try:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # python ignores them
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f'{command[0]}: {error}\n'.encode())
    os._exit(127)


def close_inherited(keep):
    """The reader of a pipe passed on must not wait for this process."""
    for name in os.listdir('/proc/self/fd'):
        fd = int(name)
        if fd > 2 and fd != keep:
            try:
                os.close(fd)
            except OSError:  # the one that listed the folder
                pass


INTERRUPT = b'\x03'
awaited = None
seen = b''


def interrupt(master, data):
    """Types Ctrl-C when the text that is waited for has appeared."""
    global awaited, seen
    seen += data
    if awaited is not None and awaited in seen:
        awaited = None
        os.write(master, INTERRUPT)


def copy(master):
    """Copies what is there; returns False when everybody has closed it."""
    try:
        data = os.read(master, CHUNK)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return False
    interrupt(master, data)
    while data:
        data = data[os.write(1, data):]
    return True


def copy_until_closed(master):
    while copy(master):
        pass


def copy_until_exit(master, pid):
    exited = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(exited, select.POLLIN)
    poll.register(master, select.POLLIN)
    while True:
        ready = dict(poll.poll())
        if master in ready:
            if not copy(master):
                poll.unregister(master)
        elif exited in ready:
            return


def end_as(status):
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


def main(arguments):
    global awaited
    hangup = arguments[:1] == ['--hangup-after-exit']
    command = arguments[1:] if hangup else arguments
    if command and command[0].startswith('--interrupt-at='):
        awaited = command.pop(0).partition('=')[2].encode()
    if not command:
        sys.exit(__doc__)
    pid, master = start(command)
    close_inherited(keep=master)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGKILL))
    if hangup:
        copy_until_exit(master, pid)
        os.close(master)
    else:
        copy_until_closed(master)
    end_as(os.waitpid(pid, 0)[1])


main(sys.argv[1:])
