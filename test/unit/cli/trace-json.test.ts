import fc from 'fast-check';
import { expect, test } from 'vitest';
import { traceJson } from '../../../src/cli/trace-json.ts';
import { FAN_CREATE, FAN_ONDIR, FAN_RENAME } from '../../../src/fanotify/abi.ts';
import { bytes, event, GONE, hasControls, OVERFLOW, TOUCH } from '../trace/sample.ts';

const parsed = (record: Parameters<typeof traceJson>[0]): Record<string, unknown> =>
  JSON.parse(Buffer.from(traceJson(record), 'latin1').toString('utf8')) as Record<string, unknown>;

test('an event', () => {
  expect(parsed(event({ mask: FAN_CREATE | FAN_ONDIR, parents: [{ ...TOUCH, pid: 700, comm: 'bash' }] }))).toEqual({
    v: 1,
    type: 'event',
    time: '2023-11-14T22:13:20.123456789Z',
    events: ['create'],
    isDirectory: true,
    path: '/srv/a',
    pid: 812,
    comm: 'touch',
    actor: { pid: 812, exe: '/usr/bin/touch', uid: 1000, ppids: [700, 1], source: 'exec' },
    parents: [{ pid: 700, comm: 'bash', exe: '/usr/bin/touch' }],
  });
});

test('a rename, an unknown process, an overflow', () => {
  expect(parsed(event({ mask: FAN_RENAME, from: bytes('/srv/\xff') }))).toMatchObject({
    from: '/srv/\ufffd',
    fromBytes: Buffer.from('/srv/\xff', 'latin1').toString('base64'),
    path: '/srv/a',
  });
  expect(parsed(event({ process: GONE, path: undefined }))).toMatchObject({ pid: 9, actor: { source: 'unknown' } });
  expect(parsed(OVERFLOW)).toEqual({ v: 1, type: 'overflow', time: '2023-11-14T22:13:20.123456789Z' });
});

test('whatever the name: one line of JSON that gives the bytes back', () => {
  const name = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((all) => Buffer.from(all).toString('latin1'));
  fc.assert(
    fc.property(name, (path) => {
      const line = traceJson(event({ path: bytes(`/${path}`) }));
      expect(hasControls(line)).toBe(false);
      const record = parsed(event({ path: bytes(`/${path}`) }));
      const back =
        record['pathBytes'] === undefined
          ? Buffer.from(String(record['path']))
          : Buffer.from(String(record['pathBytes']), 'base64');
      expect(back.toString('latin1')).toBe(`/${path}`);
    }),
  );
});
