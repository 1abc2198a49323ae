import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createSyslogStream } from '../src/index';
import { withLogPlace } from './helpers/log-server';
import { until } from './helpers/scenario';

const needsRsyslogd = {
  skip: spawnSync('rsyslogd', ['-v']).error !== undefined && 'install rsyslog',
};

const restarts = 100;
const perSecond = 1000;

test(
  `${restarts} restarts of rsyslogd lose nothing of a stream and keep its order`,
  needsRsyslogd,
  (t) =>
    withLogPlace(async (place) => {
      const stream = createSyslogStream({ path: place.path, ident: 'clock' });
      const start = performance.now();
      let sent = 0;
      const timer = setInterval(() => {
        const due = ((performance.now() - start) / 1000) * perSecond;
        for (; sent < due; sent++) stream.send('info', `line ${sent}.`);
      }, 1);
      for (let restart = 0; restart < restarts; restart++) {
        await place.startRsyslogd();
        // Somewhere in the stream, and not before rsyslogd has a listener for
        // the signal.
        const from = place.written().length;
        await until('a message', () => place.written().length > from);
        await setTimeout(Math.random() * 20);
        await place.end();
      }
      clearInterval(timer);
      stream.send('info', 'the end');
      await place.startRsyslogd();
      await until('the end', () => place.written().at(-1)!.endsWith('the end'));
      assert.equal(stream.stats().dropped, 0);
      stream.destroy();
      const written = place.written();
      const once = [...new Set(written)];
      const tag = `daemon.info clock[${process.pid}]:`;
      assert.deepEqual(once, [
        ...Array.from({ length: sent }, (_, line) => `${tag} line ${line}.`),
        `${tag} the end`,
      ]);
      // What rsyslogd read in its last moment, while no processor was free to
      // see it.
      const twice = written.length - once.length;
      t.diagnostic(`${sent} messages, ${twice} of them twice`);
      assert.ok(twice < restarts / 4, `${twice} are there twice`);
    }),
);
