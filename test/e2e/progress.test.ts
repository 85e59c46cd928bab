// How init and check show how far they are: a bar on a terminal, lines of JSON for a program, nothing for anybody else.
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { PROGRAM, run, type Scratch, system, test } from './program.ts';

const MiB = 1024 * 1024;
const NAME = 'big\x1b[31m';

/** Four seconds of reading at 2 MiB/s. */
function slowTree(scratch: Scratch): string {
  truncateSync(scratch.write(NAME, ''), 8 * MiB);
  scratch.init(scratch.tree);
  return scratch.tree;
}

interface Line {
  readonly [key: string]: unknown;
  readonly bytes: number;
  readonly done: boolean;
  readonly rate: number;
  readonly reading: readonly { readonly path: string; readonly bytes?: number; readonly size?: number }[];
}

test('lines of JSON on standard error: counts that grow, what takes a while, what is left', ({ scratch }) => {
  slowTree(scratch);
  const { status, stdout, stderr } = scratch.drive(
    '--quiet',
    '--progress',
    'json',
    'check',
    '--json',
    '--max-rate',
    '2MiB/s',
  );
  expect([status, JSON.parse(stdout)['bytes']]).toEqual([0, 8 * MiB]);
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) expect(line).toMatchObject({ v: 1, type: 'progress', command: 'check' });
  expect(lines.map(({ bytes }) => bytes)).toEqual(lines.map(({ bytes }) => bytes).sort((a, b) => a - b));
  expect(lines.map(({ done }) => done)).toEqual(lines.map((_, index) => index === lines.length - 1));
  expect(lines.at(-1)).toMatchObject({ entries: 2, bytes: 8 * MiB, leftMs: 0, reading: [] });
  const forecasts = lines.filter(({ expectedBytes }) => expectedBytes === 8 * MiB);
  expect(forecasts.length).toBeGreaterThan(0);
  for (const line of forecasts) expect(line['expectedEntries']).toBe(2);
  const path = join(scratch.tree, NAME);
  const reading = lines.flatMap((line) => line.reading).filter(({ size }) => size !== undefined);
  expect(reading.length).toBeGreaterThan(0);
  for (const file of reading) expect(file).toMatchObject({ path, size: 8 * MiB });
  for (const { rate } of lines) expect(rate).toBeLessThan(4 * MiB);
  expect(lines.at(-1)?.rate).toBeGreaterThan(MiB / 2);
});

test('where only small files are read, the directories are told', ({ scratch }) => {
  for (let index = 0; index < 150; index += 1) scratch.write(`small/${index}`, 'x');
  scratch.init(scratch.tree);
  // Two seconds: a name counts as 4 KiB.
  const rate = ['--max-rate', '512KiB/s'];
  const { status, stderr } = scratch.drive('--quiet', '--progress', 'json', 'check', ...rate);
  expect(status).toBe(0);
  const lines = stderr.trimEnd().split('\n');
  const reading = lines.flatMap((line) => (JSON.parse(line) as Line).reading);
  expect(reading).toContainEqual({ path: join(scratch.tree, 'small') });
  const command = `'${process.execPath}' '${PROGRAM}' --baseline '${scratch.baseline}' check ${rate.join(' ')}`;
  expect(system('script', '-qec', `stty cols 120; ${command}`, '/dev/null')).toMatch(/\n {2}\S*tree\/small\r?\n?/);
});

test('a bar on a terminal, with names escaped, wiped at the end; none with --no-progress', ({ scratch }) => {
  slowTree(scratch);
  const command = `'${process.execPath}' '${PROGRAM}' --baseline '${scratch.baseline}'`;
  const onTerminal = (line: string): string => system('script', '-qec', line, '/dev/null');
  const shown = onTerminal(`stty cols 120; ${command} check --max-rate 2MiB/s`);
  expect(shown).toMatch(/check {2}\d entr(y|ies) {2}[\d.]+ [KM]?i?B {2}/);
  expect(shown).toMatch(/check \[#[#.]{23}\] +\d+ % /);
  expect(shown).toMatch(/\d+ % of 8\.0 MiB {2}\S*tree\/big\\e\[31m/);
  expect(shown).not.toContain('\x1b[31m');
  expect(shown).toContain('\r\x1b[Jno drift: 2 entries');
  for (const option of ['--no-progress', '--progress none', '--quiet'])
    expect(onTerminal(`${command} ${option} check --max-rate 8MiB/s`)).not.toContain('\x1b[J');
});

test('nothing where nobody sees it', ({ scratch }) => {
  const tree = slowTree(scratch);
  const { stderr } = run(['--baseline', scratch.baseline, 'init', '--force', '--max-rate', '4MiB/s', tree]);
  expect(stderr).toMatch(/^baseline .*: generation 2, 2 entries, 8\.0 MiB in .* s\n$/);
});
