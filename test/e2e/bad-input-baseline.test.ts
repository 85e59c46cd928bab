// A baseline that is missing, empty, damaged or not ours: 65 for every command that needs one, and it is left as it is.
import { existsSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { type Scratch, system, test } from './program.ts';

const COMMANDS: readonly (readonly string[])[] = [
  ['check'],
  ['check', '--quick', '--format', 'ndjson'],
  ['accept', '--all'],
  ['status'],
  ['journal'],
  ['watch'],
];

function populate(scratch: Scratch): void {
  for (let n = 0; n < 300; n += 1) scratch.write(`file-${n}`);
  scratch.init(scratch.tree);
}

/** What is done to a good baseline, and what the message says of it. */
const DAMAGE: Readonly<Record<string, readonly [(file: string) => void, RegExp]>> = {
  missing: [(file) => system('rm', '-r', dirname(file)), /there is no baseline/],
  empty: [(file) => truncateSync(file, 0), /is empty/],
  text: [(file) => writeFileSync(file, 'not a database at all, but long enough to be one\n'.repeat(99)), /./],
  foreign: [
    (file) => {
      system('rm', file);
      system('sqlite3', file, 'create table mine(a)');
    },
    /not a driftline baseline/,
  ],
  truncated: [(file) => truncateSync(file, 24_576), /./],
  'half a page': [(file) => truncateSync(file, 5_000), /./],
  'a byte of an entry': [(file) => flip(file, 'file-299'), /./],
  'an added table': [(file) => system('sqlite3', file, 'create table more(a)'), /tables are not those/],
  'facts changed': [(file) => system('sqlite3', file, 'update meta set entries = entries + 1'), /facts do not match/],
  'a page removed': [(file) => system('sqlite3', file, 'delete from page'), /pages/],
};

/** Changes one bit right behind the last place where `text` stands. */
function flip(file: string, text: string): void {
  const bytes = readFileSync(file);
  const at = bytes.lastIndexOf(text);
  if (at < 0) throw new Error(`${text} is not in ${file}`);
  writeSync(openSync(file, 'r+'), Buffer.from([(bytes[at] ?? 0) ^ 1]), 0, 1, at);
}

describe('exit 65, one clear message, and the file stays as it is', () => {
  test.for(Object.keys(DAMAGE))('%s', (name, { scratch }) => {
    const [damage, message] = DAMAGE[name]!;
    populate(scratch);
    damage(scratch.baseline);
    const content = (): string | undefined =>
      existsSync(scratch.baseline) ? readFileSync(scratch.baseline).toString('latin1') : undefined;
    const before = content();
    const commands = name === 'missing' || name === 'empty' ? COMMANDS : COMMANDS.slice(0, 1);
    for (const command of commands) {
      const { status, stdout, stderr } = scratch.drive(...command);
      expect({ name, command, status }).toEqual({ name, command, status: 65 });
      // A report may have begun when a damaged page is met.
      if (name !== 'a byte of an entry') expect(stdout).toBe('');
      expect(stderr).toMatch(/^driftline: .*\n {2}hint: .*\n$/);
      expect(stderr).toMatch(message);
    }
    expect(content()).toBe(before);
  });

  test('a directory in its place', ({ scratch }) => {
    mkdirSync(scratch.baseline, { recursive: true });
    expect(scratch.drive('check')).toMatchObject({ status: 65, stdout: '' });
    expect(existsSync(join(scratch.baseline, 'anything'))).toBe(false);
  });
});
