import { expect, test } from 'vitest';
import { FAN_CREATE, FAN_ONDIR, FAN_OPEN, FAN_RENAME } from '../../../src/fanotify/abi.ts';
import { compileLine, type LineOptions } from '../../../src/trace/line.ts';
import { bytes, event, GONE, hasControls, OVERFLOW, TOUCH } from './sample.ts';

const line = (options: Partial<LineOptions> = {}): ReturnType<typeof compileLine> =>
  compileLine({ time: 'none', showUser: false, raw: false, ...options });

test('who, what, where', () => {
  expect(line()(event({ mask: FAN_OPEN | FAN_CREATE }))).toBe('touch(812): open,create /srv/a');
  expect(line({ showUser: true })(event())).toBe('touch(812) uid 1000: open /srv/a');
  expect(line()(event({ mask: FAN_CREATE | FAN_ONDIR }))).toBe('touch(812): create,isdir /srv/a');
});

test('what is not known is said to be so', () => {
  expect(line({ showUser: true })(event({ process: GONE, path: undefined }))).toBe('?(9) uid ?: open (no name)');
});

test('a rename has both names on one line, also when one lies outside', () => {
  const rename = event({ mask: FAN_RENAME, from: bytes('/srv/old') });
  expect(line()(rename)).toBe('touch(812): rename /srv/old -> /srv/a');
  expect(line()({ ...rename, path: undefined })).toBe('touch(812): rename /srv/old -> ?');
  expect(line()({ ...rename, from: undefined })).toBe('touch(812): rename ? -> /srv/a');
});

test('parents, nearest first', () => {
  const parents = [
    { ...TOUCH, pid: 700, comm: 'bash' },
    { ...GONE, pid: 1 },
  ];
  expect(line()(event({ parents }))).toBe('touch(812): open /srv/a  parents bash(700) ?(1)');
});

test('times have microseconds', () => {
  expect(line({ time: 'epoch' })(event())).toMatch(/^1700000000\.123456 touch/);
  expect(line({ time: 'clock' })(event())).toMatch(/^\d\d:\d\d:\d\d\.123456 touch/);
  expect(line({ time: 'epoch' })(OVERFLOW)).toMatch(/^1700000000\.123456 OVERFLOW/);
});

test('hostile names and processes cannot leave their line or move the cursor', () => {
  const hostile = event({ name: '/srv/\x1b[31m\nroot(1): open /etc/shadow', process: { ...TOUCH, comm: 'a\nb' } });
  const text = line()(hostile);
  expect(hasControls(text)).toBe(false);
  expect(text).toBe('a\\nb(812): open /srv/\\e[31m\\nroot(1): open /etc/shadow');
  expect(line()(event({ path: bytes('/srv/\xff') }))).toBe('touch(812): open /srv/\\xff');
  expect(line({ raw: true })(event({ path: bytes('/srv/\xff\n') }))).toBe('touch(812): open /srv/\xff\n');
});

test('clean names beyond ASCII come as they are', () => {
  expect(Buffer.from(line()(event({ name: '/srv/é' })), 'latin1').toString('utf8')).toBe('touch(812): open /srv/é');
});
