// The same hundred operations, told by this trace, fatrace(8) and fsnotifywait(1).
import { spawn, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { Lab } from './lab.ts';

const has = (program: string): boolean => spawnSync('which', [program]).status === 0;
const missing = ['fatrace', 'fsnotifywait', 'stdbuf'].filter((program) => !has(program));

let lab: Lab;
beforeEach((context) => {
  needCapabilities(context);
  if (missing.length > 0) context.skip(`needs ${missing.join(' and ')}: apt-get install fatrace inotify-tools`);
  lab = new Lab('ext4');
});
afterEach(async () => await lab?.[Symbol.asyncDispose]());

const COUNT = 20;

/** One process for each operation, so that each can be named. */
const OPERATIONS = `
for i in {1..${COUNT}}; do
  mkdir d-$i; touch d-$i/a-$i; mv d-$i/a-$i b-$i; chmod 600 b-$i; rm b-$i
done; touch end`;

test('every operation is told, with its names and its process', async () => {
  const events = ['create', 'close_write', 'attrib', 'delete', 'move'];
  const ours = await lab.start('-e', 'create,close-write,attrib,delete,move', lab.at);
  const fsnotify = lab.attend(
    spawn('stdbuf', [
      '-oL',
      'fsnotifywait',
      '-m',
      '-S',
      ...events.flatMap((event) => ['-e', event]),
      '--format',
      '%e %w%f',
      lab.at,
    ]),
  );
  await fsnotify.said(/Watches established/);
  const fatrace = lab.attend(spawn('stdbuf', ['-oL', 'fatrace', '-c', '-f', 'C+D<'], { cwd: lab.at }));
  await fatrace.until('fatrace', () => {
    spawnSync('bash', ['-c', ': >probe; rm probe'], { cwd: lab.at });
    return fatrace.stdout().includes('probe') || fatrace.stdout().includes(lab.at);
  });
  lab.shell(OPERATIONS);
  const lines = (await lab.lines(ours, `${lab.at}/end`)).join('\n');
  // Whoever falls silent has told what it tells: a later file, until it is named or shows not to be.
  await fatrace.until('the end in fatrace', () => {
    lab.shell(': >end');
    return fatrace.stdout().includes('/end');
  });
  await Promise.all([fsnotify.stop('SIGINT'), fatrace.stop('SIGINT')]);

  const told = (text: string, patterns: readonly ((i: number) => string)[]): number =>
    patterns.reduce((sum, pattern) => sum + range().filter((i) => new RegExp(pattern(i), 'm').test(text)).length, 0);
  const at = lab.at;
  const mine = told(lines, [
    (i) => `^mkdir\\(\\d+\\): create,isdir ${at}/d-${i}$`,
    (i) => `^touch\\(\\d+\\): \\S*create ${at}/d-${i}/a-${i}$`,
    (i) => `^mv\\(\\d+\\): rename ${at}/d-${i}/a-${i} -> ${at}/b-${i}$`,
    (i) => `^chmod\\(\\d+\\): attrib ${at}/b-${i}$`,
    (i) => `^rm\\(\\d+\\): delete ${at}/b-${i}$`,
  ]);
  const names = [(i: number) => `/d-${i}$`, (i: number) => `/a-${i}$`, (i: number) => `/b-${i}$`];
  const others = { fatrace: fatrace.stdout(), fsnotifywait: fsnotify.stdout() };
  const seen = Object.entries(others).map(([program, text]) => {
    const process =
      program === 'fatrace'
        ? `${(text.match(/^(mkdir|touch|mv|chmod|rm)\(/gm) ?? []).length} lines name the process`
        : 'no process';
    return `${program}: ${told(text, names)} of ${3 * COUNT} names, ${process}`;
  });
  process.stdout.write(
    `driftline trace: ${mine} of ${5 * COUNT} operations with names and process\n${seen.join('\n')}\n`,
  );
  expect(mine).toBeGreaterThanOrEqual(5 * COUNT - 2);
  // What the others name is named here as well.
  for (const name of names) for (const i of range()) expect(lines).toMatch(new RegExp(name(i), 'm'));
});

function range(): number[] {
  return Array.from({ length: COUNT }, (_, at) => at + 1);
}
