/** What an error says where a daemon fails by it: text, exit status and errno. */
import { constants } from 'node:os';
import { debuglog, inspect } from 'node:util';

const debug = debuglog('posix-daemonize');

/** The exit status: the error's own, the one that is set, or 1. */
export function statusOf(error: unknown): number {
  const own = (error as { exitCode?: unknown } | null | undefined)?.exitCode;
  for (const status of [own, process.exitCode])
    if (typeof status === 'number' && status > 0 && status < 256) return status;
  return 1;
}

/** The system's, where it was the system that said no. */
export function errnoOf(error: unknown): number {
  const { errno } = (error ?? {}) as { errno?: unknown };
  const isOne = Number.isInteger(errno) && Math.abs(errno as number) < 4096;
  return isOne ? (errno as number) : constants.errno.ECANCELED;
}

/** Causes of causes that are told; there may be no end of them. */
const longestChain = 8;

/** The message, and those of the causes; or everything, for who debugs. */
export function describe(error: unknown, depth = 0): string {
  if (!(error instanceof Error))
    return typeof error === 'string' ? error : inspect(error);
  if (debug.enabled) return error.stack ?? error.message;
  const { cause } = error;
  const message = error.message || describeParts(error);
  return cause === undefined || depth === longestChain
    ? message
    : `${message}: ${describe(cause, depth + 1)}`;
}

/** One without a message, as an AggregateError of net.connect() for one. */
function describeParts(error: Error): string {
  const { errors } = error as { errors?: unknown };
  const parts = Array.isArray(errors) ? errors.map(messageOf) : [];
  return parts.join('; ') || inspect(error);
}

const messageOf = (error: unknown): string =>
  (error instanceof Error && error.message) || inspect(error);
