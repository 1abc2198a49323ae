"""Runs a command and prints what it sends to the system log.

usage: devlog.py COMMAND [ARGUMENT...]

Listens on /dev/log, which must not be there yet. After the end of the command
its exit status and the raw messages, in order, are printed as JSON.
"""
import json
import os
import socket
import subprocess
import sys
import threading

END = b'the command has ended'


def listen(log, messages):
    while True:
        message = log.recv(1 << 20)
        if message == END:
            return
        messages.append(message.decode())


def main():
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind('/dev/log')
    os.chmod('/dev/log', 0o666)
    messages = []
    # A thread, or the command would wait for a full socket.
    listener = threading.Thread(target=listen, args=(log, messages))
    listener.start()
    status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(END, '/dev/log')
    listener.join()
    print(json.dumps({'status': status, 'messages': messages}))


main()
