// Each option of a trace on real events: filters, formats, hostile names, wrong values.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { type Daemon, linesOf } from './daemon.ts';
import { Lab } from './lab.ts';
import { run } from './program.ts';

describe('wrong values are 64, before anything is marked', () => {
  test.for([
    ['an unknown event', ['--events', 'opne'], /--events opne: there is no such event\n.*close-write/],
    ['a pid that is none', ['--pid', 'init'], /positive number/],
    ['no pid', ['--ignore-pid', '1,,2'], /positive number/],
    ['seconds that are none', ['--seconds', 'soon'], /number of seconds/],
    ['no time at all', ['--seconds', '0'], /number of seconds/],
    ['no events at all', ['--count', '0'], /positive number/],
    ['two kinds of mark', ['--mount', '--dir', '/'], /--mount and --dir exclude each other/],
    ['a directory without its name', ['--dir'], /a path is missing/],
    ['a relative pattern', ['--path', 'src/*.ts'], /--path src\/\*\.ts: has a slash/],
    ['a user that is none', ['--user', 'nobody-of-that-name'], /there is no such user/],
    ['an unknown conversion', ['--format', '%q'], /there is no conversion %q\n.*%w directory/],
    ['two formats', ['--format', '%w', '--json'], /exclude each other/],
    ['a time format for nothing', ['--timefmt', '%s'], /goes with --format/],
    ['no newline of nothing', ['--no-newline'], /goes with --format/],
    ['an unknown option', ['--monitor'], /unknown option/],
  ] as const)('%s', ([, args, message]) => {
    const { status, stdout, stderr } = run(['trace', ...args]);
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('events that a mount mark cannot see', (context) => {
    needCapabilities(context);
    expect(run(['trace', '--mount', '-e', 'create', '/'])).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(/--mount: such a mark cannot see create\n.*--filesystem/),
    });
  });
});

test('a path that does not exist is 74, missing capabilities are 77', (context) => {
  needCapabilities(context);
  expect(run(['trace', '/nonexistent'])).toMatchObject({
    status: 74,
    stderr: expect.stringContaining('cannot trace /nonexistent: ENOENT'),
  });
  const by = ['setpriv', '--reuid=65534', '--clear-groups', '--inh-caps=-all'];
  expect(run(['trace', '/'], { by })).toMatchObject({
    status: 77,
    stderr: expect.stringContaining('CAP_SYS_ADMIN is missing'),
  });
});

test('help shows what there is', () => {
  const { status, stdout } = run(['trace', '--help']);
  expect(status).toBe(0);
  for (const word of ['--events', '--ignore-pid', '--exe', '--null', 'close-nowrite', '%Xe', 'Exit status'])
    expect(stdout).toContain(word);
});

describe('on real events', () => {
  let lab: Lab;
  beforeEach((context) => {
    needCapabilities(context);
    lab = new Lab();
  });
  afterEach(async () => await lab?.[Symbol.asyncDispose]());

  /** What a trace with these options shows of a script; it ends with the creation of `end`, which the options let through. */
  const show = async (args: readonly string[], script: string): Promise<string[]> => {
    const trace = await lab.start('-e', 'create', ...args, lab.at);
    lab.shell(script);
    return (await lab.lines(trace, '/end')).map((line) => line.replace(/\(\d+\)/, '').replaceAll(`${lab.at}/`, ''));
  };

  test('--pid and --ignore-pid', async () => {
    const trace = await lab.start('-e', 'create', '--pid', String(process.pid), lab.at);
    const other = await lab.start('-e', 'create', '--ignore-pid', `1,${process.pid}`, lab.at);
    writeFileSync(lab.path('mine'), '');
    lab.shell('touch others');
    writeFileSync(lab.path('end'), '');
    expect((await lab.lines(trace, '/end')).join()).not.toContain('others');
    expect((await lab.lines(other, 'others')).join()).not.toContain('mine');
  });

  test('--comm: exact; a long name as the kernel keeps it, and that is said', async () => {
    lab.shell('cp /bin/touch touch2; cp /bin/touch very-long-name-of-a-program');
    const trace = await lab.start('-e', 'create', '-C', 'very-long-name-of-a-program', '--comm', 'touch', lab.at);
    lab.shell('./touch2 a; ./very-long-name-of-a-program b; touch end; : >c');
    const lines = await lab.lines(trace, '/end');
    expect(lines.map((line) => line.replace(/\(\d+\)/, ''))).toEqual([
      `very-long-name-: create ${lab.path('b')}`,
      `touch: create ${lab.path('end')}`,
    ]);
    expect(trace.stderr()).toContain('the kernel keeps 15 bytes, it is very-long-name-');
  });

  test('--exe: a name, or a whole path', async () => {
    lab.shell('cp /bin/touch touch2');
    expect(await show(['--exe', 'touch?'], './touch2 a; touch b; ./touch2 end')).toEqual([
      'touch2: create a',
      'touch2: create end',
    ]);
    lab.shell('rm a end');
    expect(await show(['--exe', `${lab.at}/**`], './touch2 a; touch b; ./touch2 end')).toHaveLength(2);
  });

  /** Makes a file as another user, and lives until the test has seen what it wants: /proc tells of the living only. */
  const create = async (trace: Daemon, file: string, uid: number): Promise<void> => {
    const args = [`--reuid=${uid}`, '--clear-groups', 'bash', '-c', `: >${file}; read`];
    const child = spawn('setpriv', args, { cwd: lab.at, stdio: ['pipe', 'ignore', 'inherit'] });
    onTestFinished(() => {
      child.stdin.end();
    });
    await trace.until(file, () => existsSync(lab.path(file)));
  };

  test('--user: by name and by number', async () => {
    lab.shell('chmod 777 .');
    const trace = await lab.start('-e', 'create', '--user', 'nobody', '--user', '65533', '-u', lab.at);
    for (const [at, uid] of [0, 65534, 65532, 65533].entries()) await create(trace, `f${at}`, uid);
    const lines = await lab.lines(trace, '/f3');
    expect(lines.map((line) => line.replace(/\(\d+\)/, '').replaceAll(`${lab.at}/`, ''))).toEqual([
      'bash uid 65534: create f1',
      'bash uid 65533: create f3',
    ]);
  });

  test('--path', async () => {
    expect(await show(['--path', '*.log', '--path', 'end'], 'mkdir d; touch d/a.log d/b.txt end')).toEqual([
      'touch: create d/a.log',
      'touch: create end',
    ]);
  });

  test('--parents and --timestamp', async () => {
    const trace = await lab.start('-e', 'create', '-P', '-t', lab.at);
    await create(trace, 'end', 0);
    const [line = ''] = await lab.lines(trace, '/end');
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{6} bash\(\d+\): create \S+\/end {2}parents \S.*\(1\)$/);
    expect(line).toContain(`(${process.pid})`);
    lab.shell('rm end');
    expect((await show(['-tt'], 'touch end'))[0]).toMatch(/^\d{10}\.\d{6} touch/);
  });

  test('--json: one record per line, whatever the name, and the name can be had back', async () => {
    const names = ['plain', 'spa ce', 'new\nline', '\x1b[31mred', 'quo"te\\', 'é', 'bidi\u202e', '\xff\xfe-not-utf8'];
    const bytes = names.map((name, at) => Buffer.from(name, at === names.length - 1 ? 'latin1' : 'utf8'));
    const trace = await lab.start('-e', 'create', '--json', '--parents', lab.at);
    for (const name of bytes) writeFileSync(Buffer.concat([Buffer.from(`${lab.at}/`), name]), '');
    lab.shell('touch end');
    const records = await lab.records(trace, '/end');
    const back = records.map(({ path, pathBytes }) =>
      (typeof pathBytes === 'string' ? Buffer.from(pathBytes, 'base64') : Buffer.from(String(path))).subarray(
        lab.at.length + 1,
      ),
    );
    expect(back.map(String)).toEqual([...bytes, Buffer.from('end')].map(String));
    expect(back[names.length - 1]).toEqual(bytes[names.length - 1]);
    expect(records[0]).toMatchObject({
      v: 1,
      type: 'event',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
      events: ['create'],
      pid: process.pid,
      actor: { pid: process.pid, uid: 0 },
      parents: expect.arrayContaining([expect.objectContaining({ pid: 1 })]),
    });
  });

  test('text: hostile names stay on their line', async () => {
    const trace = await lab.start('-e', 'create', lab.at);
    writeFileSync(lab.path('a\nroot(1): create \x1b[2J'), '');
    lab.shell('touch end');
    const lines = await lab.lines(trace, '/end');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('/a\\nroot(1): create \\e[2J');
  });

  test('--format as fsnotifywait has it', async () => {
    const trace = await lab.start(
      '-e',
      'create,rename,close-write',
      '--format',
      '%T %w %f %|e %o %p',
      '--timefmt',
      '%Y-%s',
      lab.at,
    );
    lab.shell('mkdir d; touch a; mv a d/b; mkdir end');
    const lines = await lab.lines(trace, ' end ');
    const year = `${new Date().getFullYear()}-\\d{10}`;
    expect(lines[0]).toMatch(new RegExp(`^${year} ${lab.at}/ d CREATE\\|ISDIR  \\d+$`));
    expect(lines.join('\n')).toMatch(new RegExp(`^${year} ${lab.at}/d/ b RENAME ${lab.at}/a \\d+$`, 'm'));
  });

  test('NUL: names as they are, nothing else between them', async () => {
    const [one, two] = ['one', 'two'].map((name) => lab.scratch.tmpfs(name));
    const start = async (file: string, ...args: string[]) => {
      const trace = lab.spawn(
        ['-e', 'create', '--count', '3', ...args, lab.at],
        ['bash', '-c', `exec "$@" >'${file}'`, 'bash'],
      );
      await trace.ready();
      return { trace, file };
    };
    const traces = [
      await start(`${one}/out`, '--format', '%w%f%0', '--no-newline'),
      await start(`${two}/out`, '-0', '--format', '%f'),
    ];
    for (const name of ['a\nb', 'c d', 'e\\']) writeFileSync(lab.path(name), '');
    for (const { trace } of traces) expect(await trace.ended).toMatchObject({ code: 0 });
    expect(readFileSync(`${one}/out`, 'latin1').split('\0')).toEqual([
      lab.path('a\nb'),
      lab.path('c d'),
      lab.path('e\\'),
      '',
    ]);
    expect(readFileSync(`${two}/out`, 'latin1').split('\0')).toEqual(['a\nb', 'c d', 'e\\', '']);
  });

  test('JSON with NUL, and without a note on standard error when quiet', async () => {
    const ran = lab.spawn(['-q', '-0', '--json', '-n', '1', '--dir', lab.at]);
    await ran.until('a record', () => {
      writeFileSync(lab.path('x'), '');
      return ran.stdout().endsWith('\0');
    });
    expect(await ran.ended).toMatchObject({ code: 0 });
    expect(linesOf(ran.stdout().replace('\0', '\n'))).toHaveLength(1);
    expect(ran.stderr()).toBe('');
  });
});
