import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createSyslogStream } from '../src/index';
import { parse, textsOf, withLogPlace } from './helpers/log-server';
import { ident, played, withStream } from './helpers/syslog-stream';

for (const kind of ['dgram', 'stream'] as const)
  test(`each line is an entry in the form of RFC 3164, by a ${kind} socket`, () =>
    played(
      { facility: 'local3' },
      async (stream, place) => {
        stream.write('one\ntwo\r\n');
        stream.send('err', 'grüße\x1b\0');
        stream.send('debug', '');
        stream.write('x'.repeat(9000));
        stream.write(Buffer.from('in two '));
        stream.write(Buffer.from('parts\nrest'));
        stream.end();
        await finished(stream);
        const tag = `clock[${process.pid}]`;
        assert.deepEqual((await place.messagesTo('rest')).map(parse), [
          { priority: 158, tag, text: 'one' },
          { priority: 158, tag, text: 'two' },
          { priority: 155, tag, text: 'grüße\\x1b\\0' },
          { priority: 159, tag, text: '' },
          { priority: 158, tag, text: `${'x'.repeat(8000)}...` },
          { priority: 158, tag, text: `...${'x'.repeat(1000)}` },
          { priority: 158, tag, text: 'in two parts' },
          { priority: 158, tag, text: 'rest' },
        ]);
        assert.deepEqual(stream.stats(), {
          queued: 0,
          queuedBytes: 0,
          sent: 8,
          dropped: 0,
          fallback: 0,
          connected: true,
        });
      },
      kind,
    ));

test('without a pid the tag is the ident; maxLength cuts between characters', () =>
  played({ pid: false, maxLength: 80 }, async (stream, place) => {
    stream.write('€'.repeat(30));
    const messages = await place.messagesTo('...€€€€');
    assert.deepEqual(messages.map(parse), [
      { priority: 30, tag: ident, text: `${'€'.repeat(26)}...` },
      { priority: 30, tag: ident, text: `...€€€€` },
    ]);
  }));

test('a message that the system finds too long is sent in parts', () =>
  played({ maxLength: 0x100000 }, async (stream, place) => {
    const long = '€'.repeat(100_000);
    stream.send('info', long);
    stream.send('info', 'next');
    const texts = textsOf(await place.messagesTo('next'));
    assert.ok(texts.length > 2);
    const parts = texts
      .slice(0, -1)
      .map((text) => text.replace(/^\.\.\.|\.\.\.$/g, ''));
    assert.equal(parts.join(''), long);
  }));

test('messages that came before the log daemon arrive in order', () =>
  withLogPlace((place) =>
    withStream(place, {}, async (stream) => {
      for (let line = 0; line < 100; line++)
        stream.send(line % 2 ? 'err' : 'debug', `line ${line}`);
      assert.equal(stream.stats().queued, 100);
      assert.equal(stream.stats().connected, false);
      assert.equal(stream.flushSync(1), false);
      await place.listen();
      assert.equal(await stream.flush(10_000), true);
      assert.deepEqual(
        textsOf(await place.messagesTo('line 99')),
        Array.from({ length: 100 }, (_, line) => `line ${line}`),
      );
    }),
  ));

test('a full queue drops the least urgent first, of those the oldest, and tells how many', () =>
  withLogPlace((place) =>
    withStream(place, { maxQueueBytes: 0x1000 }, async (stream) => {
      for (const priority of ['debug', 'info', 'err'] as const)
        for (let line = 0; line < 25; line++)
          stream.send(priority, `${priority} ${line}`);
      const { dropped, queued, queuedBytes } = stream.stats();
      assert.equal(queued + dropped, 75);
      assert.ok(dropped > 25 && dropped < 50, `${dropped}`);
      assert.ok(queuedBytes <= 0x1000);
      // Only more urgent ones are queued: it is itself dropped.
      stream.send('debug', `debug ${'x'.repeat(0x100)}`);
      assert.equal(stream.stats().dropped, dropped + 1);
      await place.listen();
      const told = `posix-daemonize: ${dropped + 1} messages dropped: the queue was full`;
      const messages = (await place.messagesTo('err 24')).map(parse);
      const infos = Array.from({ length: 50 - dropped }, (_, n) => n);
      assert.deepEqual(
        messages.map(({ text }) => text),
        [
          // It stands where they are missing.
          told,
          ...infos.map((n) => `info ${n + 25 - infos.length}`),
          ...Array.from({ length: 25 }, (_, n) => `err ${n}`),
        ],
      );
      assert.equal(messages[0]!.priority, 28);
    }),
  ));

test('two streams to one log daemon keep the order between them', () =>
  withLogPlace((place) =>
    withStream(place, {}, (one) =>
      withStream(place, { ident: 'other' }, async (other) => {
        for (let line = 0; line < 100; line++)
          (line % 2 ? one : other).send('info', `line ${line}`);
        await place.listen();
        assert.deepEqual(
          textsOf(await place.messagesTo('line 99')),
          Array.from({ length: 100 }, (_, line) => `line ${line}`),
        );
      }),
    ),
  ));

test('a Worker logs, and what it queued outlives it', () =>
  withLogPlace(async (place) => {
    const worker = new Worker(
      `const { createSyslogStream } = require('posix-daemonize');
       const { workerData } = require('node:worker_threads');
       createSyslogStream(workerData).send('info', 'by a worker');`,
      { eval: true, workerData: { path: place.path, ident } },
    );
    await new Promise((resolve) => worker.once('exit', resolve));
    await place.listen();
    await place.messagesTo('by a worker');
  }));

test('one line that is larger than the queue is dropped, and nothing else', () =>
  withLogPlace((place) =>
    withStream(place, { maxQueueBytes: 4096 }, (stream) => {
      for (let line = 0; line < 10; line++) stream.send('err', `line ${line}`);
      stream.send('crit', 'x'.repeat(5000));
      const { queued, dropped } = stream.stats();
      assert.deepEqual({ queued, dropped }, { queued: 10, dropped: 1 });
    }),
  ));

test('what is piped in waits for a log daemon that reads, and nothing is lost', () =>
  played({ maxQueueBytes: 1 << 20 }, async (stream, place) => {
    const lines = 20_000;
    const expected = Array.from({ length: lines }, (_, line) => `line ${line}`);
    const source = Readable.from(
      (function* () {
        for (let at = 0; at < lines; at += 100)
          yield Buffer.from(`${expected.slice(at, at + 100).join('\n')}\n`);
      })(),
    );
    await pipeline(source, stream);
    await place.messagesTo(expected.at(-1)!);
    assert.deepEqual(textsOf(place.messages), expected);
    assert.equal(stream.stats().dropped, 0);
  }));

test('the connection of a stream outlives a log daemon that moves away', () =>
  played({}, async (stream, place) => {
    stream.send('info', 'first');
    await place.messagesTo('first');
    await place.end();
    stream.send('info', 'second');
    await place.listen('stream');
    await place.messagesTo('second');
    // Read in the last moment of the log daemon, the first may come twice.
    const once = [...new Set(textsOf(place.messages))];
    assert.deepEqual(once, ['first', 'second']);
  }));

test('what is sent after the end of the stream arrives all the same', () =>
  played({}, async (stream, place) => {
    stream.end();
    await finished(stream);
    stream.send('crit', 'the last words');
    await place.messagesTo('the last words');
  }));

test('the stream finishes without a log daemon, after flushTimeout', () =>
  withLogPlace((place) =>
    withStream(place, { flushTimeout: 20 }, async (stream) => {
      stream.end('lost');
      await finished(stream);
      assert.equal(stream.stats().queued, 1);
    }),
  ));

test('wrong options are refused as Node.js does', () => {
  const wrong = (options: object): Error => {
    try {
      createSyslogStream(options).destroy();
    } catch (error) {
      return error as Error;
    }
    return assert.fail(JSON.stringify(options));
  };
  for (const [options, code, text] of [
    [{ idnet: 'x' }, 'ERR_INVALID_ARG_VALUE', "did you mean 'ident'?"],
    [{ ident: '' }, 'ERR_INVALID_ARG_VALUE', 'options.ident'],
    [{ ident: 'a\nb' }, 'ERR_INVALID_ARG_VALUE', 'options.ident'],
    [{ facility: 'demon' }, 'ERR_INVALID_ARG_VALUE', 'options.facility'],
    [{ priority: 3 }, 'ERR_INVALID_ARG_VALUE', 'options.priority'],
    [{ pid: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.pid'],
    [{ maxQueueBytes: 1 }, 'ERR_OUT_OF_RANGE', 'options.maxQueueBytes'],
    [{ maxLength: 1.5 }, 'ERR_OUT_OF_RANGE', 'options.maxLength'],
    [{ flushTimeout: -1 }, 'ERR_OUT_OF_RANGE', 'options.flushTimeout'],
    [{ path: `/${'x'.repeat(108)}` }, 'ERR_INVALID_ARG_VALUE', 'options.path'],
    [{ fallback: '/dev/null' }, 'ERR_INVALID_ARG_VALUE', 'options.fallback'],
    [{ fallback: '/nowhere/at/all' }, 'ENOENT', "open '/nowhere/at/all'"],
  ] as const) {
    const error = wrong(options) as NodeJS.ErrnoException;
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(text), error.message);
  }
});
