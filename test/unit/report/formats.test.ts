import { expect, test } from 'vitest';
import { pathFromLatin1, pathFromText } from '../../../src/domain/path.ts';
import { openReport, type ReportFormatName } from '../../../src/report/report.ts';
import { sortedReport } from '../../../src/report/sorted.ts';
import { driftLine } from '../../../src/report/text.ts';
import { ADDED, CLEAN, MOVED, RECORD, REMOVED, SUMMARY } from './fixture.ts';

const UNREADABLE = { path: pathFromLatin1('/etc/\xff'), errno: 13 };

function render(format: ReportFormatName, clean = false): string {
  const report = openReport(format, { colour: false });
  const head = report.begin({ startMs: SUMMARY.startMs, generation: 7 });
  const items = clean ? [] : [ADDED, RECORD, REMOVED, MOVED].map(report.drift);
  return head + items.join('') + (clean ? '' : report.incomplete(UNREADABLE)) + report.end(clean ? CLEAN : SUMMARY);
}

test('text', () => {
  expect(render('text', true)).toBe('no drift: 12,345 entries, 1.2 GiB in 0.8 s\n');
  expect(
    render('text'),
  ).toBe(`MOVED    critical  /etc/old -> /etc/new  with 12 entries  by useradd(812) uid 0 login 1000 in ssh.service
ADDED    critical  /etc/passwd
    file 4600 0:0 1,235 bytes
CHANGED  critical  /etc/passwd  mode size mtime digest xattrs flags  by useradd(812) uid 0 login 1000 in ssh.service
    mode              0644 -> 4600
    size              1234 -> 1235
    mtime             2025-11-20T23:55:52.000000001Z -> 1969-12-31T23:59:59.999999999Z
    digest            ${'ab'.repeat(32)} -> sparse:${'cd'.repeat(32)}
    security.selinux  - -> "x\\x00"
    user.note         "old" -> -
    flags             ia -> -
REMOVED  critical  /etc/passwd  by useradd(812) uid 0 login 1000 in ssh.service
    file 0644 0:0 1,234 bytes
UNREADABLE  /etc/\\xff  EACCES
4 drifts (1 added, 1 removed, 1 changed, 1 moved), 1 not readable: 12,345 entries, 1.2 GiB in 0.8 s
accept all of it: driftline accept --report abc123
watched: /  filesystem since 1970-01-01T00:00:00.000Z, no gaps; no event tells of stores through a mapping that is held, inode flags, the raw device
`);
});

test.each(['text', 'html'] as const)(
  '%s is sorted by the bytes of paths, in whatever order things are found',
  (format) => {
    const paths = ['/d0000/b', '/d0000/\xff', '/d0000-1', '/d0001/a'].sort();
    const rendered = (found: readonly string[]): string => {
      const report = openReport(format, { colour: false });
      const pieces = found.map(pathFromLatin1).map((path, index) => {
        return path.includes('-')
          ? report.incomplete({ path, errno: 13 })
          : report.drift({ ...ADDED, path, seq: index });
      });
      return pieces.join('') + report.end(SUMMARY);
    };
    const text = rendered(paths);
    expect(rendered(paths.toReversed())).toBe(text);
    const places = ['/d0000-1', '/d0000/b', '/d0000/\\xff', '/d0001/a'].map((path) => text.indexOf(path));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
  },
);

test('what is held back is told when a check ends early, and is bounded', () => {
  const report = sortedReport({ ...openReport('ndjson', { colour: false }), drift: ({ path }) => `${path}\n` });
  const found = (name: string) => report.drift({ ...ADDED, path: pathFromLatin1(name) });
  expect([found('/b'), found('/a'), report.rest?.(), report.rest?.()]).toEqual(['', '', '/a\n/b\n', '']);
  for (let index = 0; index < 100_000; index += 1) expect(found(`/${String(index).padStart(6, '0')}`)).toBe('');
  const all = found('/');
  expect([all.length, all.slice(0, 10), found('/z')]).toEqual([800_002, '/\n/000000\n', '/z\n']);
});

test('text in colour is the same text', () => {
  const coloured = driftLine(RECORD, { colour: true });
  expect(coloured).toContain('\x1b[33mCHANGED\x1b[0m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences are what is taken away
  expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(driftLine(RECORD, { colour: false }));
});

test('json', () => {
  const document = JSON.parse(render('json'));
  expect(document).toMatchObject({
    v: 1,
    type: 'check',
    start: '2025-11-20T23:55:53.000Z',
    end: '2025-11-20T23:55:53.800Z',
    entries: 12_345,
    bytes: 1_288_490_189,
    added: 1,
    removed: 1,
    changed: 1,
    moved: 1,
    incomplete: 1,
    exitCode: 15,
    generation: 7,
    quick: null,
    report: 'abc123',
    coverage: [{ mount: '/', mode: 'filesystem', since: '1970-01-01T00:00:00.000Z', gaps: 0 }],
    unreadable: [{ path: '/etc/\ufffd', pathBytes: 'L2V0Yy//', incomplete: 'EACCES' }],
  });
  expect(document.drift.map(({ kind }: { kind: string }) => kind)).toEqual(['added', 'changed', 'removed', 'moved']);
  expect(JSON.parse(render('json', true))).toMatchObject({ drift: [], unreadable: [], exitCode: 0 });
});

test('ndjson: each line by itself, the summary last', () => {
  const lines = render('ndjson')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ type }) => type)).toEqual(['drift', 'drift', 'drift', 'drift', 'incomplete', 'check']);
  expect(lines.at(-1)).toMatchObject({ v: 1, exitCode: 15, report: 'abc123', start: '2025-11-20T23:55:53.000Z' });
  expect(lines.at(-1)).not.toHaveProperty('drift');
  expect(render('ndjson', true).split('\n')).toHaveLength(2);
});

test.each(['text', 'json', 'ndjson', 'aide', 'ecs', 'html'] as const)(
  '%s: what was not read, and since when it is trusted',
  (format) => {
    const report = openReport(format, { colour: false });
    const quick = { entries: 12_100, trusted: 12_096, by: 'baseline', sinceMs: 0 } as const;
    const text = report.begin({ startMs: 1, generation: 7 }) + report.end({ ...CLEAN, quick });
    expect(text).toMatch(/12,?096/);
    expect(text).toContain('1970-01-01T00:00:00.000Z');
  },
);

test('aide', () => {
  expect(render('aide', true)).toContain(
    'driftline found NO differences between baseline and filesystem. Looks okay!!\n',
  );
  const text = render('aide');
  expect(text).toContain(
    '  Total number of entries:\t12345\n  Added entries:\t\t2\n  Removed entries:\t\t2\n  Changed entries:\t\t1\n',
  );
  expect(text).toContain('\nd+++++++++++++++++: /etc/new\nf+++++++++++++++++: /etc/passwd\n');
  expect(text).toContain('\nd-----------------: /etc/old\n');
  expect(text).toContain('\nf > p.. m...H.XSE.: /etc/passwd\n');
  expect(text).toContain('\nFile: /etc/passwd\n Perm      : -rw-r--r--                       | -rwS------\n');
  expect(text).toContain(' Mtime     : 2025-11-20 23:55:52 +0000        | 1969-12-31 23:59:59 +0000\n');
  expect(text).toContain(
    ` BLAKE3    : ${'ab'.repeat(16)} | sparse:${'cd'.repeat(12)}c\n           : ${'ab'.repeat(16)} | d`,
  );
  expect(text).toContain(
    'Unreadable entries:\n---------------------------------------------------\n\n/etc/\\xff: EACCES\n',
  );
  expect(text).toMatch(/\nEnd timestamp: 2025-11-20 23:55:53 \+0000 \(run time: 0m 1s\)\n$/);
});

test('ecs', () => {
  const [added, changed, removed, moved, unreadable, check] = render('ecs')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(added).toMatchObject({
    event: { type: ['creation'], action: 'added' },
    driftline: { actor: { source: 'unknown' } },
  });
  expect(added).not.toHaveProperty('process');
  expect(changed).toMatchObject({
    '@timestamp': '2025-11-20T23:55:53.123456789Z',
    ecs: { version: '9.0.0' },
    event: { id: `${RECORD.id}-2`, kind: 'alert', category: ['file'], type: ['change'], severity: 99 },
    rule: { name: 'system' },
    file: {
      path: '/etc/passwd',
      directory: '/etc',
      name: 'passwd',
      type: 'file',
      mode: '4600',
      uid: '0',
      size: 1235,
      inode: '9007199254740993',
    },
    process: {
      pid: 812,
      executable: '/usr/sbin/useradd',
      name: 'useradd',
      args: ['useradd', 'eve'],
      parent: { pid: 7 },
    },
    user: { id: '0', audit: { id: '1000' } },
    driftline: { generation: 7, changed: RECORD.changed, before: { mode: '0644' } },
  });
  expect(changed.file).not.toHaveProperty('hash');
  expect(removed).toMatchObject({
    event: { type: ['deletion'] },
    file: { mode: '0644', hash: { blake3: 'ab'.repeat(32) } },
  });
  expect(moved).toMatchObject({
    event: { action: 'moved' },
    file: { path: '/etc/new', type: 'dir' },
    driftline: { from: '/etc/old', entries: 12 },
  });
  expect(unreadable).toMatchObject({
    event: { outcome: 'failure' },
    error: { code: 'EACCES' },
    driftline: { pathBytes: 'L2V0Yy//' },
  });
  expect(check).toMatchObject({
    event: { action: 'check', duration: 800_000_000 },
    driftline: { check: { entries: 12_345, exitCode: 15 } },
  });
});

test('html', () => {
  const text = render('html');
  expect(text).toMatch(/^<!doctype html>\n/);
  expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(text).not.toMatch(/<script|<link|<img|https?:| on[a-z]+=/);
  expect(text.match(/<tr class=/g)).toHaveLength(5);
  expect(text).toContain('<td><code>/etc/old</code> &rarr; <code>/etc/new</code></td>');
  const hostile = { ...RECORD, path: pathFromText('/<script>alert("1")</script>&\'\x1b') };
  const report = openReport('html', { colour: false });
  report.drift(hostile);
  expect(report.rest?.()).toContain('<code>/&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;\\e</code>');
});
