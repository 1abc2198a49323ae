// What cannot be sent goes to the fallback file.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSyslogStream } from '../src/index';
import { textsOf, withLogPlace } from './helpers/log-server';
import { until } from './helpers/scenario';
import { withStream } from './helpers/syslog-stream';

test('without a log daemon the fallback file gets all, in order', () =>
  withLogPlace((place) => {
    const fallback = join(place.folder, 'fallback');
    return withStream(place, { fallback, fallbackAfter: 0 }, async (stream) => {
      assert.equal(statSync(fallback).mode & 0o777, 0o640 & ~process.umask());
      stream.write('one\ntwo\n');
      stream.send('err', 'three');
      await until('the file', () => stream.stats().fallback === 3);
      const lines = readFileSync(fallback, 'utf8').split('\n');
      const tag = `clock[${process.pid}]: `;
      assert.deepEqual(
        lines.map((line) => line.slice(16)),
        [`${tag}one`, `${tag}two`, `${tag}three`, ''],
      );
      await place.listen();
      stream.send('info', 'back');
      assert.deepEqual(textsOf(await place.messagesTo('back')), ['back']);
      // It may be read before it is counted.
      assert.ok(await stream.flush(10_000));
      assert.deepEqual(stream.stats(), {
        queued: 0,
        queuedBytes: 0,
        sent: 1,
        dropped: 0,
        fallback: 3,
        connected: true,
      });
    });
  }));

test('what a stopped log daemon leaves no room for goes to the fallback file', () =>
  withLogPlace(async (place) => {
    await place.listen();
    place.kill('SIGSTOP');
    const fallback = join(place.folder, 'fallback');
    const options = { fallback, maxQueueBytes: 0x10000 };
    await withStream(place, options, async (stream) => {
      const lines = 5000;
      for (let line = 0; line < lines; line++) {
        stream.send('info', `line ${line}`);
        if (line % 100 === 0)
          await until(
            'room',
            () =>
              stream.stats().queuedBytes < 0xf000 ||
              stream.stats().fallback > 0,
          );
        await new Promise(setImmediate);
      }
      place.kill('SIGCONT');
      await until('the end', () => stream.stats().queued === 0);
      const { sent, dropped, fallback: saved } = stream.stats();
      assert.equal(sent + dropped + saved, lines);
      assert.ok(saved > 0);
      const kept = readFileSync(fallback, 'utf8').split('\n').slice(0, -1);
      assert.equal(kept.length, saved);
    });
  }));

test('a fallback file that is a symbolic link is refused', () =>
  withLogPlace((place) => {
    const fallback = join(place.folder, 'link');
    symlinkSync(join(place.folder, 'elsewhere'), fallback);
    assert.throws(() => createSyslogStream({ path: place.path, fallback }), {
      code: 'ELOOP',
      path: fallback,
    });
    return Promise.resolve();
  }));

test(
  'a line of which a full disk takes only the beginning leaves nothing in the fallback file',
  { skip: process.getuid!() !== 0 && 'needs root' },
  () =>
    withLogPlace(async (place) => {
      const disk = join(place.folder, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk]);
      try {
        const fallback = join(disk, 'fallback');
        await withStream(
          place,
          { fallback, fallbackAfter: 0 },
          async (stream) => {
            const line = 'x'.repeat(100);
            for (let at = 0; at < 100; at++) stream.send('info', line);
            await until('the end', () => stream.stats().queued === 0);
            const kept = readFileSync(fallback, 'utf8').split('\n');
            const { dropped, fallback: saved } = stream.stats();
            assert.equal(kept.pop(), '');
            assert.equal(kept.length, saved);
            assert.ok(kept.every((text) => text.endsWith(`: ${line}`)));
            assert.equal(saved + dropped, 100);
            assert.ok(saved > 0 && dropped > 0);
          },
        );
      } finally {
        execFileSync('umount', ['--lazy', disk]);
      }
    }),
);
