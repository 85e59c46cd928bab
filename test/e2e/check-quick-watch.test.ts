// `check --quick` beside a running watch: the watch names what changed, and nothing is walked.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import type { Fields } from './daemon.ts';
import { system } from './program.ts';
import { Site } from './site.ts';

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  // What is dirty rests longer than any test lasts: an answer must not wait for that, nor go without it.
  site = new Site({ watch: { quiet: '120s', deadline: '300s' } });
  site.shell('for name in one two three; do echo $name >$name; done; mkdir -p dir/sub; echo 1 >dir/sub/in');
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

const ENTRIES = 8;

function quick(...args: string[]): { readonly document: Fields; readonly stderr: string } {
  const { stdout, stderr } = site.driftline('check', '--quick', '--format', 'json', ...args);
  return { document: JSON.parse(stdout) as Fields, stderr };
}

test('nothing of an unchanged tree is looked at', async () => {
  await site.begin();
  const { document, stderr } = quick();
  expect(stderr).toBe('');
  expect(document).toMatchObject({ exitCode: 0, entries: ENTRIES, bytes: 0, drift: [] });
  expect(document['quick']).toEqual({ trusted: ENTRIES, by: 'watch', since: expect.stringMatching(/^20\d\d-.*Z$/) });
  expect(site.driftline('check', '--quick').stdout).toMatch(
    /8 entries not read, because a watch has missed nothing since/,
  );
  const trace = join(site.scratch.dir, 'trace');
  const main = join(import.meta.dirname, '../../dist/cli/main.js');
  const check = [process.execPath, main, '--config', site.config, 'check', '--quick'];
  system('strace', '-f', '-o', trace, '-e', 'trace=openat,openat2,statx', ...check);
  expect(readFileSync(trace, 'utf8')).toMatch(/openat/);
  expect(readFileSync(trace, 'utf8')).not.toMatch(/"(one|two|three|dir|sub|in)"|root\/dir/);
});

test('what was done right before is found, as a walk finds it, again and again', async () => {
  await site.begin();
  const steps = [
    'echo 1 >>one',
    'rm two; echo 1 >new; mkdir fresh; echo 1 >fresh/in',
    'mv dir tree',
    'chmod 600 three; echo 2 >>tree/sub/in',
    'echo one >one; touch -d 2001-01-01 three',
    'rm -r tree',
  ];
  for (const step of steps) {
    site.shell(step);
    const { document, stderr } = quick();
    expect({ step, stderr, by: (document['quick'] as Fields)['by'] }).toEqual({ step, stderr: '', by: 'watch' });
    const full = site.check();
    expect(document['drift'], step).not.toEqual([]);
    const kinds = ({ drift, entries, report, exitCode }: Fields) => ({
      drift: (drift as Fields[]).map(({ kind, path, from, changed }) => ({ kind, path, from, changed })),
      ...{ entries, report, exitCode },
    });
    expect(kinds(document), step).toEqual(kinds(full));
  }
});

test('of paths only what the watch names of them is compared', async () => {
  await site.begin();
  site.shell('echo 1 >>one; mv dir tree; echo 2 >new');
  const of = (...names: string[]) => {
    const { document, stderr } = quick(...names.map((name) => site.path(name)));
    expect([stderr, (document['quick'] as Fields)['by']]).toEqual(['', 'watch']);
    const full = site.check(...names.map((name) => site.path(name)));
    expect(document).toMatchObject({ entries: full['entries'], report: full['report'], exitCode: full['exitCode'] });
    return document;
  };
  expect(of('one')).toMatchObject({ changed: 1, entries: 1, exitCode: 4 });
  expect(of('two')).toMatchObject({ entries: 1, exitCode: 0, drift: [] });
  expect(of('dir/sub')).toMatchObject({ removed: 2, entries: 0, exitCode: 2 });
  expect(of('tree', 'three')).toMatchObject({ added: 3, entries: 4, exitCode: 1 });
  expect(of('dir', 'tree', 'new')).toMatchObject({ moved: 1, added: 1, entries: 4, exitCode: 5 });
});

test('a watch that was stopped is not missed', async () => {
  const daemon = await site.begin();
  await daemon.stop();
  for (const args of [[], [site.path('dir')]])
    expect(quick(...args)).toMatchObject({ stderr: '', document: { exitCode: 0, quick: { by: 'baseline' } } });
});

test('when the watch cannot know, there is a walk', async () => {
  site.configure({ watch: { quiet: '120s', deadline: '300s', marks: 'mount' } });
  await site.begin();
  const part = quick(site.path('dir'));
  expect(part).toMatchObject({ document: { quick: { by: 'baseline', trusted: 3 } } });
  expect(part.stderr).toMatch(/\(it does not see every change\): comparing all/);
  site.shell('rm one');
  const weak = quick();
  expect(weak.stderr).toMatch(
    /the running watch cannot tell what changed \(it does not see every change\): comparing all/,
  );
  expect(weak.document).toMatchObject({ removed: 1, quick: { by: 'baseline' } });
  site.configure({ rule: { exclude: ['*.swp'] } });
  const other = quick();
  expect(other.stderr).toMatch(/\(its configuration is another one\)/);
  expect(other.document).toMatchObject({ removed: 1, quick: { by: 'baseline' } });
});
