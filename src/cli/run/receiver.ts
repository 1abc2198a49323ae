/**
 * Who answers a command that goes on to talk when it has said that it is ready.
 *
 * sd_notify_barrier(3), and systemd-notify(1) by itself, sends BARRIER=1 after
 * READY=1, with a descriptor, and waits until that is closed by who reads it: an
 * error if nobody is there by then. That it will come is not to be seen: who has
 * sent READY=1 may be the command, or a helper that root's systemd-notify lets
 * pass for the command. So nobody guesses. Whoever waits for `run` need not wait
 * for this: a copy of the launching process reads on.
 */
import { openSync } from 'node:fs';
import { close, dup2, listInherited } from '../../posix/descriptors';
import { fork } from '../../posix/fork';
import { _exit, chdir } from '../../posix/process';
import { setsid } from '../../posix/session';
import type { Run } from '../../step';
import { warn } from '../terminal';
import type { Gate } from './gate';

/** ms: as long as systemd-notify(1) waits for the answer. */
const patience = 5000;

/**
 * To be called in the launching process of a command that is ready. Returns in
 * this process alone.
 */
export async function leaveReceiver(gate: Gate, run: Run): Promise<void> {
  if (!gate.isOwing) return;
  // The lock of a PID file would be kept by the other one.
  run.pidfile?.close();
  run.streams.close();
  try {
    if (fork() > 0) return;
  } catch (error) {
    const reason = (error as Error).message;
    warn(`warning: nobody will answer a BARRIER=1 of the command: ${reason}`);
    return;
  }
  try {
    letGo();
    await gate.answered(patience);
  } finally {
    _exit(0);
  }
}

/** Of all that somebody could miss: session, directory, pipes, terminal. */
function letGo(): void {
  setsid();
  chdir('/');
  for (const fd of listInherited()) close(fd);
  const nothing = openSync('/dev/null', 'r+');
  // Last: who waits for the end of these may count on the rest.
  for (const fd of [0, 1, 2]) dup2(nothing, fd);
}
