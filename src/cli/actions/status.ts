/** What `status` does. */
import { type Report, formatReports, reportOn } from '../daemons/report';
import { selectExpected, type Where } from '../daemons/selection';
import { statusCodes } from '../exit-codes';
import { complain, lostOutput, print, warn } from '../terminal';

const codes: Readonly<Record<Report['state'], number>> = {
  running: statusCodes.running,
  stale: statusCodes.dead,
  stopped: statusCodes.notRunning,
  unknown: statusCodes.unknown,
};

export interface StatusFlags extends Where {
  json?: true;
}

/** Where nothing can be told, LSB has one code for it, whatever the reason. */
export async function status(
  names: string[],
  flags: StatusFlags,
): Promise<void> {
  let reports: Report[];
  try {
    reports = (await selectExpected(names, flags)).map(reportOn);
  } catch (error) {
    complain(error);
    process.exitCode = statusCodes.unknown;
    return;
  }
  show(reports, flags.json);
  const worst = Math.max(...reports.map(({ state }) => codes[state]), 0);
  // What other commands have for it would say here that a daemon is dead.
  const unsaid = lostOutput() ? statusCodes.unknown : statusCodes.running;
  process.exitCode = worst || unsaid;
}

/** As JSON or as a table. */
export function show(reports: readonly Report[], json = false): void {
  if (json) {
    print(JSON.stringify(reports, null, 2));
    return;
  }
  if (reports.length === 0) {
    warn(
      'no file describes daemons here, and `run --name` has started none, or they were stopped',
    );
    return;
  }
  print(formatReports(reports));
  for (const { name, reason } of reports)
    if (reason !== null) warn(`${name}: ${reason}`);
}
