// Who has left the group of a hook is found by its environment, whatever it is at.
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { killMarked } from '../../../src/hooks/marked-processes.ts';
import { isAlive, script } from './run-script.ts';

function start(program: string, mark = 'other'): ChildProcess {
  const env = { PATH: process.env['PATH'], DRIFTLINE_TEST_MARK: mark };
  return spawn(program, { detached: true, stdio: 'ignore', env });
}

test('within execve(2) a process has no environment, and is found all the same', async () => {
  const again = script('exec "$0"');
  const survivors: number[] = [];
  for (let round = 0; round < 200; round += 1) {
    const mark = `T${process.pid}-${round}`;
    const child = start(again, mark);
    await sleep(3);
    expect(await killMarked(`DRIFTLINE_TEST_MARK=${mark}`)).toBe(true);
    if (isAlive(child.pid ?? 0)) survivors.push(round);
    child.kill('SIGKILL');
  }
  expect(survivors).toEqual([]);
});

test('others live on, and a process without any environment stops nobody', async () => {
  const children = [start(script('exec env -i sleep 1000')), start(script('exec sleep 1000'))];
  await sleep(50);
  const begin = performance.now();
  expect(await killMarked(`DRIFTLINE_TEST_MARK=another-${process.pid}`)).toBe(true);
  expect(performance.now() - begin).toBeLessThan(1_000);
  expect(children.map(({ pid }) => isAlive(pid ?? 0))).toEqual([true, true]);
  for (const child of children) child.kill('SIGKILL');
});
