"""A log daemon: prints each message that comes to a socket as JSON, a line each.

usage: log-server.py dgram|stream PATH
"""
import json
import os
import signal
import socket
import sys

kind, path = sys.argv[1:]


def tell(message):
    print(json.dumps(message.decode()), flush=True)


def listen():
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    which = socket.SOCK_DGRAM if kind == 'dgram' else socket.SOCK_STREAM
    log = socket.socket(socket.AF_UNIX, which)
    log.bind(path)
    if kind == 'stream':
        log.listen()
    print('null', flush=True)
    return log


def main():
    log = listen()
    # Between two messages, as a log daemon ends that loses nothing.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    while kind == 'dgram':
        tell(log.recv(1 << 20))
    while True:
        connection = log.accept()[0]
        rest = b''
        while data := connection.recv(1 << 16):
            *messages, rest = (rest + data).split(b'\0')
            for message in messages:
                tell(message)


main()
