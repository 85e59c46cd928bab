// The benchmarks work: small ones, whose numbers say nothing.
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { system, test } from './program.ts';

const BENCH = join(import.meta.dirname, '../bench');

test('digests of a part of the system are those of b3sum, file by file', () => {
  const said = system(process.execPath, join(BENCH, 'digests.mjs'), '/usr/sbin');
  const [, files, digests] =
    /: (\d+) files by b3sum, (\d+) digests in the baseline, 0 differ, 0 b3sum/.exec(said) ?? [];
  expect(Number(files)).toBeGreaterThan(10);
  expect(digests).toBe(files);
});

test('a scan benchmark writes its table and its plot, and takes its trees away', ({ scratch, skip }) => {
  skip(!existsSync('/usr/bin/time'), 'GNU time is not installed');
  const options = ['--cases', 'small,growth', '--scale', '0.002', '--rounds', '1', '--peers', 'none'];
  const { base } = scratch;
  system(process.execPath, join(BENCH, 'scan.mjs'), ...options, '--dir', base, '--out', join(base, 'out'));
  const table = readFileSync(join(base, 'out/scan.md'), 'utf8');
  const cell = '[\\d.,]+';
  // 128 kB: nothing, or one MB/s on a fast machine.
  expect(table).toMatch(
    new RegExp(`^\\| driftline check \\| 1 \\| ${cell} \\| ${cell} \\| ${cell} \\| [01] \\| ${cell} \\|`, 'm'),
  );
  expect(table).toMatch(/^\| command \| 20 files \| 200 files \| 2,000 files \|$/m);
  expect(readFileSync(join(base, 'out/scan.svg'), 'utf8')).toMatch(/^<svg [\s\S]*<polyline [\s\S]*<\/svg>\n$/);
  expect(
    system('ls', base)
      .split('\n')
      .filter((name) => name.startsWith('driftline-bench')),
  ).toEqual([]);
});

test('a profile names the functions that take the time', ({ scratch }) => {
  for (const name of 'abcd') {
    scratch.write(name, '');
    truncateSync(join(scratch.tree, name), 200 * 1024 * 1024);
  }
  const lines = system(process.execPath, join(BENCH, 'profile.mjs'), scratch.tree).trim().split('\n');
  expect(lines[0]).toMatch(/^check +of .*: [3-9] threads/);
  expect(lines.slice(4)).toHaveLength(10);
  expect(lines.slice(4).join('\n')).toMatch(/dist\/(?:disk|libc)\//);
});
