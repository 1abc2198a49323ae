import { join } from 'node:path';

/** As sd_notify_barrier(3) does it, with more descriptors than it sends. */
const program = `
import os, select, socket, sys, time
address = '\\0' + os.environ['NOTIFY_SOCKET'][1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b'READY=1', address)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
read, write = os.pipe()
for text, count in ((b'FDSTORE=1', 100), (b'BARRIER=1', 1)):
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, write.to_bytes(4, sys.byteorder) * count)
    s.sendmsg([text], [rights], 0, address)
os.close(write)
poll = select.poll()
poll.register(read, 0)
print('answered' if poll.poll(5000) else 'not answered', flush=True)
time.sleep(1000)
`;

/**
 * A command that sends READY=1, and BARRIER=1 once a file is there; and says
 * whether it was answered.
 * @returns the file, and the command
 */
export function barrier(folder: string): [go: string, command: string[]] {
  const go = join(folder, 'go');
  return [go, ['python3', '-c', program, go]];
}
