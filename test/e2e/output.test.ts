// Who reads what the program prints may be slow, or leave: an exit status never changes for it, and a watch goes on.
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test as plain } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { run, system, test } from './program.ts';
import { Site } from './site.ts';

/** Runs a command with a descriptor that is a pipe whose reader has left. */
const broken = (fd: 1 | 2): string[] => ['bash', '-c', `exec 3> >(:); wait $!; exec "$@" ${fd}>&3`, 'bash'];

test('nobody reads: standard error changes no exit status, standard output is 141', ({ scratch }) => {
  const config = scratch.configure(`rules: [{ name: odd, paths: [${scratch.tree}, ${scratch.base}/missing] }]`);
  scratch.init();
  scratch.write('new');
  const check = ['--config', config, 'check', '--json'];
  const whole = run(check);
  expect(whole).toMatchObject({ status: 1, stderr: expect.stringContaining('does not exist') });
  const { status, stdout } = run(check, { by: broken(2) });
  expect([status, JSON.parse(stdout).added]).toEqual([1, 1]);
  expect(run(check, { by: broken(1) }).status).toBe(141);
});

describe('a watch', () => {
  let site: Site;
  beforeEach((context) => {
    needCapabilities(context);
    site = new Site();
  });
  afterEach(async () => await site?.[Symbol.asyncDispose]());

  const added = (): unknown => (site.json(['status'])['openDrift'] as { added: number }).added;

  plain('whose standard output was closed goes on', async () => {
    site.init();
    const daemon = site.spawn({ wrap: broken(1) });
    await daemon.ready();
    for (const name of ['one', 'two']) {
      site.shell(`echo x >${name}`);
      await daemon.until(`${name} in the baseline's journal`, () => added() === (name === 'one' ? 1 : 2));
    }
    await daemon.said(/standard output was closed/);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });

  plain('whose standard output nobody reads goes on, and ends within a second', async () => {
    site.init();
    const fifo = join(site.scratch.dir, 'fifo');
    system('mkfifo', fifo);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const daemon = site.spawn({ wrap: ['bash', '-c', 'exec "$@" >"$0"', fifo] });
      await daemon.ready();
      site.shell('for i in {1..800}; do echo $i >file-$i; done');
      await daemon.until('all drift in the journal', () => added() === 800);
      const ended = await daemon.stop();
      expect(ended).toMatchObject({ code: 0 });
      expect(ended.ms).toBeLessThan(1000);
    } finally {
      closeSync(reader);
    }
  });
});
