"""A service manager's socket for notifications; prints what arrives, as JSON.

usage: notify-socket.py ADDRESS

ADDRESS is a path, or @ and an abstract name. The first line says that it
listens. Then nothing is read until a line comes on standard input; its end is
the end, after what has arrived by then.
"""
import array
import json
import os
import select
import socket
import struct
import sys

CREDENTIALS = struct.Struct('3i')
MAX_FDS = 253


def say(value):
    print(json.dumps(value), flush=True)


def receive(listener):
    fds, pid = array.array('i'), None
    room = socket.CMSG_SPACE(fds.itemsize * MAX_FDS) + socket.CMSG_SPACE(
        CREDENTIALS.size)
    data, ancillary, flags, _ = listener.recvmsg(1 << 16, room,
                                                 socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in ancillary:
        assert level == socket.SOL_SOCKET
        if kind == socket.SCM_RIGHTS:
            fds.frombytes(content)
        elif kind == socket.SCM_CREDENTIALS:
            pid, _, _ = CREDENTIALS.unpack(content)
    files = [os.readlink(f'/proc/self/fd/{fd}') for fd in fds]
    for fd in fds:
        os.close(fd)
    say({
        'text': data.decode(),
        'pid': pid,
        'files': files,
        'whole': not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC),
    })


def main():
    address = sys.argv[1]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    listener.bind('\0' + address[1:] if address[0] == '@' else address)
    say('listening')
    sys.stdin.readline()
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if listener in ready:
            receive(listener)
        elif not sys.stdin.readline():
            return


main()
