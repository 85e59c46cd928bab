import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkHooks } from '../../../src/config/programs.ts';
import { AppError } from '../../../src/domain/errors.ts';
import type { HookSettings } from '../../../src/domain/settings.ts';
import { findProgram } from '../../../src/hooks/program.ts';
import { load, problemsOf, put, temporaryDirectory } from './fixture.ts';

const RULE = 'rules: [{ name: a, paths: [/a] }]\n';
const SHIPPED = {
  'alert-mail': '#!/bin/sh\n# driftline-stdin: text\n',
  mirror: '#!/bin/sh\n# driftline-stdin: paths0\n',
  'logrotate-postrotate': '#!/bin/sh\n',
  'README.md': '# Hooks\n',
};

async function hookOf(text: string): Promise<HookSettings> {
  const { hooks } = await load(`${RULE}hooks: { h: ${text} }\n`, SHIPPED);
  return hooks[0] as HookSettings;
}

test('defaults of a hook', async () => {
  expect(await hookOf('{ run: [x] }')).toEqual({
    name: 'h',
    run: ['x'],
    stdin: 'paths0',
    quietMs: 500,
    deadlineMs: 10_000,
    timeoutMs: 300_000,
    maxPaths: undefined,
    concurrency: 1,
    onBusy: 'queue',
    retry: { attempts: 8, backoffMinMs: 1000, backoffMaxMs: 300_000 },
    exitCodes: { ok: [0], again: [75] },
    stop: { signal: 'TERM', graceMs: 10_000 },
    breaker: { failures: 10, pauseMs: 300_000 },
    holdOn: undefined,
    before: undefined,
    after: undefined,
    onFailure: undefined,
    ping: undefined,
    environment: {},
    detach: false,
    user: undefined,
    limits: { memoryBytes: undefined, tasks: undefined },
    credentials: {},
    digests: {},
  });
});

test('a shipped hook is a script with its own standard input', async () => {
  const mail = await hookOf('{ use: alert-mail }');
  expect(mail.run).toEqual([expect.stringMatching(/^\/.*\/hooks\/alert-mail$/)]);
  expect(mail.stdin).toBe('text');
  expect((await hookOf('{ use: alert-mail, stdin: ndjson }')).stdin).toBe('ndjson');
  expect((await hookOf('{ use: mirror }')).stdin).toBe('paths0');
});

test('`with` becomes the environment', async () => {
  const { environment } = await hookOf(
    '{ use: mirror, with: { to: root, mailFrom: "größe\\nzwei", portID: 7, dry: true, command: [mail, -s, 5], none: [] } }',
  );
  expect(environment).toEqual({
    DRIFTLINE_TO: 'root',
    DRIFTLINE_MAIL_FROM: 'größe\nzwei',
    DRIFTLINE_PORT_ID: '7',
    DRIFTLINE_DRY: 'true',
    DRIFTLINE_COMMAND_1: 'mail',
    DRIFTLINE_COMMAND_2: '-s',
    DRIFTLINE_COMMAND_3: '5',
    DRIFTLINE_COMMAND_COUNT: '3',
    DRIFTLINE_NONE_COUNT: '0',
  });
});

const MISTAKES: readonly (readonly [string, string])[] = [
  ['{ run: [x], use: mirror }', 'hooks.h: needs either run or use'],
  ['{ run: [./x] }', "hooks.h.run[0]: './x' must be an absolute path or a bare name"],
  ['{ run: [""] }', "hooks.h.run[0]: '' must be an absolute path or a bare name"],
  ['{ run: [x, "a\\0b"] }', 'hooks.h.run[1]: contains NUL'],
  [
    '{ use: miror }',
    "hooks.h.use: no hook 'miror' comes with driftline (did you mean 'mirror'?); there are: alert-mail, mirror",
  ],
  ['{ use: README.md }', "hooks.h.use: no hook 'README.md' comes with driftline; there are: alert-mail, mirror"],
  ['{ use: ../../bin/sh }', "hooks.h.use: no hook '../../bin/sh' comes with driftline; there are: alert-mail, mirror"],
  ['{ run: [x], with: { a: "x\\0" } }', 'hooks.h.with.a: contains NUL'],
  ['{ run: [x], with: { a-b: x } }', 'hooks.h.with.a-b: must be letters and digits, such as mailTo'],
  ['{ run: [x], with: { LD: x } }', 'hooks.h.with.LD: must be letters and digits, such as mailTo'],
  ['{ run: [x], with: { key: x } }', 'hooks.h.with.key: DRIFTLINE_KEY is set by driftline itself'],
  ['{ run: [x], with: { resolved: 1 } }', 'hooks.h.with.resolved: DRIFTLINE_RESOLVED is set by driftline itself'],
  ['{ run: [x], with: { aCount: 1, a: [x] } }', 'hooks.h.with.a: sets DRIFTLINE_A_COUNT a second time'],
  ['{ run: [x], with: { a: { b: c } } }', 'hooks.h.with.a: must be a text, a number, true, false or a list of them'],
  ['{ run: [x], quiet: 11s }', 'hooks.h.deadline: must not be shorter than quiet'],
  ['{ run: [x], timeout: 0s }', 'hooks.h.timeout: must be longer than nothing'],
];

test.each(MISTAKES)('%s', async (text, expected) => {
  expect(await problemsOf(`${RULE}hooks: { h: ${text} }`, SHIPPED)).toEqual([`2: ${expected}`]);
});

async function checkFailure(...runs: string[]): Promise<AppError | undefined> {
  const hooks = runs.map((run, index) => `  h${index}: { run: ['${run}'] }\n`).join('');
  const settings = await load(`${RULE}hooks:\n${hooks}`);
  try {
    checkHooks(settings, findProgram);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

test('programs of hooks must be there, executable and trusted', async () => {
  const directory = temporaryDirectory();
  const script = put(join(directory, 'script'), '#!/bin/sh\n', 0o755);
  expect(await checkFailure('true', '/bin/sh', script)).toBeUndefined();

  const plain = put(join(directory, 'plain'), 'text', 0o644);
  const failure = await checkFailure('no-such-program-here', `${directory}/gone`, plain, directory, 'true');
  expect(failure?.code).toBe('CONFIG');
  expect(failure?.message.split('\n')).toEqual([
    'hook h0: no-such-program-here: not found in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    `hook h1: ${directory}/gone: not found`,
    `hook h2: ${plain}: not executable`,
    `hook h3: ${directory}: not a regular file`,
  ]);
  expect(failure?.hint).toContain('install the program');

  chmodSync(script, 0o775);
  const open = await checkFailure(script);
  expect(open?.message).toBe(`hook h0: program ${script}: ${script} can be written by others (mode 0775, uid 0)`);
  expect(open?.hint).toBe(`chmod go-w ${script}`);
});

test.each([
  ['/bin/sh', ''],
  ['bash', '-e '],
  ['env', 'A=b sh '],
])('what %s is to run must be trusted, too', async (interpreter, options) => {
  const script = put(join(temporaryDirectory(), 'script'), 'true\n', 0o644);
  const run = [interpreter, ...`${options}${script} /nonexistent/data /tmp -x`.split(' ').filter(Boolean)].join("', '");
  expect(await checkFailure(run)).toBeUndefined();
  chmodSync(script, 0o666);
  expect((await checkFailure(run))?.message).toContain(`hook h0: script ${script}: ${script} can be written by others`);
  expect(await checkFailure(`tee', '${script}`)).toBeUndefined();
});

test('what a hook may be told beyond its command', async () => {
  const text = `{ run: [x], maxPaths: 10, concurrency: 2, stopSignal: INT, grace: 1s, exitCodes: { ok: [0, 24] },
    breaker: off, before: [/bin/mount, /mnt], after: [umount, /mnt], onFailure: [logger], ping: { url: 'https://hc.example/uuid' } }`;
  expect(await hookOf(text)).toMatchObject({
    maxPaths: 10,
    concurrency: 2,
    stop: { signal: 'INT', graceMs: 1000 },
    exitCodes: { ok: [0, 24], again: [75] },
    breaker: undefined,
    before: ['/bin/mount', '/mnt'],
    after: ['umount', '/mnt'],
    onFailure: ['logger'],
    ping: { url: 'https://hc.example/uuid', timeoutMs: 10_000 },
  });
  const pin = 'a'.repeat(64);
  const fenced = `{ run: [x], user: www-data, limits: { memory: 512MiB }, credentials: { KEY: /k }, digest: ${pin},
    holdOn: { severity: critical, share: 20% } }`;
  expect(await hookOf(fenced)).toMatchObject({
    user: 'www-data',
    limits: { memoryBytes: 2 ** 29, tasks: undefined },
    credentials: { KEY: '/k' },
    digests: { '': pin },
    holdOn: { severity: 'critical', filesPerMinute: undefined, share: 0.2, entropy: undefined },
  });
  expect((await hookOf(`{ run: [x], digest: { /f: ${pin} } }`)).digests).toEqual({ '/f': pin });
});

test.each([
  ['{ run: [x], maxPaths: 0 }', /maxPaths: must be at least 1/],
  ['{ run: [x], exitCodes: { ok: [0, 75] } }', /exitCodes\.again: 75 is also in ok/],
  ['{ run: [x], exitCodes: { ok: [256] } }', /must be at most 255/],
  ['{ run: [x], stopSignal: SIGTERM }', /stopSignal: must be TERM, INT/],
  ['{ run: [x], before: [bin/x] }', /before\[0\]: 'bin\/x' must be an absolute path/],
  ['{ run: [x], concurrency: 2, onBusy: restart }', /concurrency: must be 1 unless onBusy is queue/],
  ["{ run: [x], ping: { url: 'ftp://x' } }", /must be an http or https URL/],
  ["{ run: [x], ping: { url: 'https://me:secret@hc.example/uuid' } }", /URL without a user/],
  ['{ run: [x], limits: { memory: 1KiB } }', /limits\.memory: must be an amount of memory|must be 1MiB at least/],
  ['{ run: [x], digest: abc }', /digest: must be a BLAKE3 digest/],
  ['{ run: [x], credentials: { key: /k } }', /must be capitals/],
  ['{ run: [x], holdOn: { share: 120% } }', /share: must be a share such as 20%/],
  ['{ run: [x], breaker: { failure: 1 } }', /failure: is not a key that exists here \(did you mean 'failures'\?\)/],
])('%s', async (text, message) => {
  expect((await problemsOf(`${RULE}hooks: { h: ${text} }\n`, SHIPPED)).join('\n')).toMatch(message);
});
