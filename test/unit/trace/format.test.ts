import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FAN_ATTRIB, FAN_CLOSE_WRITE, FAN_CREATE, FAN_ONDIR, FAN_OPEN, FAN_RENAME } from '../../../src/fanotify/abi.ts';
import { compileFormat } from '../../../src/trace/format.ts';
import type { TraceRecord } from '../../../src/trace/record.ts';
import { bytes, event, GONE, hasControls, OVERFLOW } from './sample.ts';

const show = (format: string, record: TraceRecord, raw = false): string =>
  compileFormat(format, { raw, timeText: (ns) => `T${ns}` })(record);

test.each([
  ['%w%f', '/srv/a'],
  ['%w|%f', '/srv/|a'],
  ['%e', 'CLOSE_WRITE,OPEN,CLOSE'],
  ['%:e', 'CLOSE_WRITE:OPEN:CLOSE'],
  ['%|e %f', 'CLOSE_WRITE|OPEN|CLOSE a'],
  ['%ee', 'CLOSE_WRITE,OPEN,CLOSEe'],
  ['%T', 'T1700000000123456789'],
  ['%p %c %x %u', '812 touch /usr/bin/touch 1000'],
  ['100%% %n', '100% \n'],
  ['%f%0', 'a\0'],
  ['[%o]', '[]'],
  ['é', Buffer.from('é').toString('latin1')],
  ['', ''],
])('%s', (format, shown) => {
  expect(show(format, event({ mask: FAN_OPEN | FAN_CLOSE_WRITE }))).toBe(shown);
});

test.each(['%', '%q', 'a%', '%:x'])('"%s" is refused', (format) => {
  expect(() => show(format, event())).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('directories: an event on itself, and on an entry of the one above', () => {
  expect(show('%w|%f|%e', event({ mask: FAN_ATTRIB | FAN_ONDIR, name: '/srv/d' }))).toBe('/srv/d/||ATTRIB,ISDIR');
  expect(show('%w|%f|%e', event({ mask: FAN_CREATE | FAN_ONDIR, name: '/srv/d' }))).toBe('/srv/|d|CREATE,ISDIR');
  expect(show('%w|%f', event({ mask: FAN_OPEN | FAN_ONDIR, name: '/' }))).toBe('/|');
  expect(show('%w|%f', event({ name: '/a' }))).toBe('/|a');
});

test('renames, overflow and what has no name', () => {
  const rename = event({ mask: FAN_RENAME, from: bytes('/tmp/old') });
  expect(show('%o > %w%f %e', rename)).toBe('/tmp/old > /srv/a RENAME');
  expect(show('%w%f%e', OVERFLOW)).toBe('Q_OVERFLOW');
  expect(show('%w%f|%c|%u|%p', event({ path: undefined, process: GONE }))).toBe('|||9');
});

test('names are escaped, unless a NUL byte ends them', () => {
  const record = event({ path: bytes('/srv/a\n\\\xff') });
  expect(show('%w%f', record)).toBe('/srv/a\\n\\\\\\xff');
  expect(show('%w%f%0', record)).toBe('/srv/a\n\\\xff\0');
  expect(show('%w%f', record, true)).toBe('/srv/a\n\\\xff');
});

test('whatever the name: directory and name are the path, and without NUL there is one line', () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 40 })
    .map((all) => Buffer.from(all).toString('latin1').replace(/[\0/]/g, 'x'));
  fc.assert(
    fc.property(name, name, (dir, file) => {
      const record = event({ path: bytes(`/${dir}/${file}`) });
      expect(show('%w%f%0', record)).toBe(`/${dir}/${file}\0`);
      expect(hasControls(show('%w%f', record))).toBe(false);
    }),
  );
});
