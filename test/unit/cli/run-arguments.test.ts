// What is driftline's of a command line, and what is the command's.
import { expect, test } from 'vitest';
import { splitArguments } from '../../../src/cli/run-arguments.ts';

const split = (line: string) => {
  const { words, command } = splitArguments(line.split(' '));
  return [words.join(' '), command?.join(' ')];
};

test.each([
  ['check --quiet -- x', 'check --quiet -- x', undefined],
  ['watch --json', 'watch --json', undefined],
  ['help run', 'help run', undefined],
  ['run /srv -- make --quiet -- all', 'run /srv', 'make --quiet -- all'],
  ['run /srv', 'run /srv', ''],
  ['run --quiet 1s /srv --', 'run --quiet 1s /srv', ''],
  ['--quiet -c run run -q /srv -- run', '-q -c run run -q /srv', 'run'],
  ['watch --once /srv -- true', 'run --once /srv', 'true'],
  ['watch /srv -- true --once', 'watch /srv -- true --once', undefined],
])('%s', (line, words, command) => {
  expect(split(line)).toEqual([words, command]);
});
