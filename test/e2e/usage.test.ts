// Arguments, exit statuses, and what must never be read or executed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { PROGRAM, run, test } from './program.ts';

describe('wrong usage is 64, before anything is opened', () => {
  // The configuration does not exist: whoever opens it says 78.
  test.for([
    ['no command', []],
    ['an unknown command', ['chek']],
    ['an unknown option', ['check', '--quik']],
    ['accept of nothing', ['accept']],
    ['accept of all and of a path', ['accept', '--all', '/etc']],
    ['a report and questions', ['accept', '--report', 'x', '--interactive']],
    ['an unknown format', ['check', '--format', 'xml']],
    ['two formats', ['check', '--format', 'html', '--json']],
    ['no workers', ['init', '--jobs', '0']],
    ['a rate without a unit', ['check', '--max-rate', '50']],
    ['init of a part of the rules', ['init', '--force', '/etc']],
    ['a time that is none', ['journal', '--since', 'someday']],
    ['explain of nothing', ['explain']],
    ['a path that names nothing', ['explain', '']],
  ] as const)('%s', ([, args]) => {
    const { status, stdout, stderr } = run(['--config', '/nonexistent/driftline.yaml', ...args]);
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
    expect(stderr).toMatch(/^driftline: \S/);
  });

  test('init without a configuration and without paths', ({ scratch }) => {
    expect(scratch.drive('init')).toMatchObject({ status: 64, stdout: '' });
    expect(readdirSync(scratch.base)).toEqual(['tree']);
  });
});

test('the hint names the command whose help says more', () => {
  for (const [args, hint] of [
    [[], 'driftline --help lists them: init, '],
    [['hook'], 'driftline hook --help lists them: list, test, '],
    [['hook', 'lst'], 'driftline hook --help'],
    [['hook', 'test'], 'driftline hook test --help'],
    [['init', '--max-rate', '50'], 'driftline init --help'],
  ] as const) {
    expect(run(args)).toMatchObject({ status: 64, stderr: expect.stringContaining(`hint: ${hint}`) });
  }
});

test('help shows every exit status, on standard output', () => {
  const { status, stdout, stderr } = run(['--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const code of [0, 64, 65, 70, 73, 74, 75, 77, 78]) expect(stdout).toMatch(new RegExp(`^ +${code} `, 'm'));
  expect(run(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

const COMMANDS: readonly (readonly string[])[] = [
  ['init'],
  ['check'],
  ['accept', '--all'],
  ['status'],
  ['journal'],
  ['explain', '/etc'],
  ['config', 'check'],
  ['watch'],
];

test('no configuration is 78 and names the places looked at', () => {
  for (const command of COMMANDS) {
    const { status, stderr } = run(command);
    expect([command, status]).toEqual([command, 78]);
    for (const end of ['yaml', 'yml', 'json']) expect(stderr).toContain(`/etc/driftline/driftline.${end}`);
  }
});

test('a directory and a home full of traps execute nothing and give nothing, for every command', ({ scratch }) => {
  const marker = join(scratch.base, 'executed');
  const traps = join(scratch.base, 'traps');
  const script = `require('node:fs').writeFileSync(${JSON.stringify(marker)}, __filename);`;
  const module = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(marker)}, import.meta.url);`;
  const plant = (name: string, text: string): void => {
    mkdirSync(dirname(join(traps, name)), { recursive: true });
    writeFileSync(join(traps, name), text, { mode: 0o755 });
  };
  for (const stem of [
    '.config/config',
    '.config/driftline',
    '.config/driftlinerc',
    '.driftlinerc',
    'driftline.config',
  ]) {
    for (const end of ['js', 'cjs']) plant(`${stem}.${end}`, script);
    for (const end of ['mjs', 'ts']) plant(`${stem}.${end}`, module);
    for (const end of ['json', 'yaml']) plant(`${stem}.${end}`, '{"rules":[{"name":"trap","paths":["/trap"]}]}');
  }
  plant('driftline.yaml', 'rules: [{name: trap, paths: [/trap]}]');
  plant('package.json', '{"type":"commonjs","driftline":{"rules":[{"name":"trap","paths":["/trap"]}]}}');
  plant('node_modules/commander/index.js', script);
  plant('sqlite.node', 'not a module');

  const config = scratch.configure(`rules: [{ name: mine, paths: [${scratch.tree}] }]`);
  const options = { cwd: traps, env: { HOME: traps, XDG_CONFIG_HOME: join(traps, '.config'), TMPDIR: traps } };
  const doctor = [['doctor'], ['config', 'schema'], ['explain', '/trap']];
  // A watch would stay; on a baseline that does not exist it ends.
  const lost = ['--baseline', join(scratch.base, 'nowhere.db'), 'watch'];
  for (const command of [...COMMANDS.filter(([name]) => name !== 'watch'), ...doctor, lost]) {
    const { stdout, stderr } = run(['--config', config, ...command], options);
    expect(`${command} ${stdout} ${stderr}`).not.toMatch(/rule trap|"trap"|traps\//);
  }
  expect(run(['check'], options)).toMatchObject({ status: 78, stdout: '' });
  expect(existsSync(marker)).toBe(false);
});

test('a directory that is gone is said, and is no drift', ({ scratch }) => {
  const gone = join(scratch.base, 'gone');
  const script = `mkdir '${gone}' && cd '${gone}' && rmdir '${gone}' && exec '${process.execPath}' '${PROGRAM}' check`;
  const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  expect(stderr).toMatch(/^driftline: the current directory cannot be used: .*\n {2}hint: cd to/);
  expect(status).toBe(74);
});

test('threads that were started for a command that fails end with it', ({ scratch }) => {
  const config = scratch.configure('rules: []');
  for (let round = 0; round < 5; round += 1) {
    expect(run(['--config', config, 'check', '--bogus'])).toMatchObject({ status: 64, stdout: '' });
    expect(run(['--config', config, 'check'])).toMatchObject({ status: 78, stdout: '' });
  }
});
