// driftline doctor: what works here, without needing a configuration, a baseline or privileges.

import { expect } from 'vitest';
import { run, test } from './program.ts';

interface Finding {
  readonly subject: string;
  readonly level: string;
  readonly message: string;
  readonly hint?: string;
}

function doctor(args: readonly string[], by: readonly string[] = []): { status: number; findings: readonly Finding[] } {
  const { status, stdout } = run([...args, 'doctor', '--json'], { by });
  return { status, findings: JSON.parse(stdout).findings };
}

test('tells kernel, user, marks, queue and digest; 1 when something that is configured cannot work', ({ scratch }) => {
  const config = scratch.configure(`rules: [{ name: one, paths: [${scratch.tree}] }]`);
  const before = doctor(['--config', config]);
  expect(before.status).toBe(1);
  expect(before.findings).toContainEqual(expect.objectContaining({ subject: 'baseline', level: 'bad' }));
  scratch.init();
  const { status, findings } = doctor(['--config', config]);
  expect(findings.filter(({ level }) => level === 'bad')).toEqual([]);
  expect(status).toBe(0);
  expect(new Set(findings.map(({ subject }) => subject))).toEqual(
    new Set(['kernel', 'user', 'watch', 'queue', 'namespace', 'digest', 'config', 'baseline']),
  );
  expect(scratch.drive('doctor').stdout).toMatch(/^ ok +kernel +Linux /);
});

test('tells whether hooks can run, and whether what limits them can be enforced', ({ scratch }) => {
  const settings = (limits: string): string =>
    `rules: [{ name: one, paths: [${scratch.tree}], hooks: [it] }]\nhooks: { it: { run: ['true'], limits: ${limits} } }`;
  const of = (limits: string): Finding | undefined =>
    doctor(['--config', scratch.configure(settings(limits))]).findings.find(({ subject }) => subject === 'limits');
  const [unwanted, wanted] = [of('{}'), of('{ memory: 64MiB, tasks: 20 }')];
  expect(unwanted?.level).toBe('ok');
  // Whatever this machine allows: then it says what to do.
  const isEnforced = /can be limited$/.test(wanted?.message ?? '');
  expect(wanted).toMatchObject(
    isEnforced ? { level: 'ok' } : { level: 'warn', hint: expect.stringContaining('Delegate=yes') },
  );
  expect(wanted?.message).toBe(unwanted?.message);
  const findings = doctor(['--config', scratch.configure(settings('{}'))]).findings;
  expect(findings).toContainEqual(expect.objectContaining({ subject: 'hooks', level: 'ok' }));
});

test('without a configuration and without privileges it says what is missing and what works all the same', () => {
  const { findings } = doctor([], ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']);
  const user = findings.find(({ subject }) => subject === 'user');
  expect(user).toMatchObject({ level: 'warn' });
  expect(`${user?.message} ${user?.hint}`).toMatch(/CAP_SYS_ADMIN.*CAP_DAC_READ_SEARCH.*init and check work/);
  expect(findings).toContainEqual(expect.objectContaining({ subject: 'config', level: 'warn' }));
});
