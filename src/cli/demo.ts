#!/usr/bin/env node
// npm run demo: the real thing in half a minute. A website that rsync mirrors and a system file that nobody should touch,
// in a scratch directory; every line with a `$` is run as it is shown.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const WAIT_MS = 10_000;
const POLL_MS = 20;

const scratch = mkdtempSync(join(tmpdir(), 'driftline-demo-'));
const at = (name: string): string => join(scratch, name);

const CONFIG = `baseline: ${at('state/baseline.db')}
watch: { quiet: 150ms, deadline: 1s }
rules:
  - name: website
    paths: [${at('www')}]
    onDrift: accept            # changes are expected: mirror them and make them the baseline
    hooks: [mirror]
  - name: system
    paths: [${at('etc')}]
    attributes: strict
    severity: critical
    hooks: [alert]
hooks:
  mirror:
    use: rsync-mirror
    with: { source: ${at('www')}, target: ${at('mirror')} }
    quiet: 150ms
  alert:
    use: alert-exec
    with: { command: [tee, -a, ${at('alerts')}] }
    quiet: 150ms
`;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function title(text: string): void {
  say(`\n== ${text}`);
}

/** Runs a shell line in the scratch directory, as a person would; its exit status is part of what is shown. */
function shell(line: string): void {
  say(`$ ${line}`);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: scratch, encoding: 'utf8' });
  process.stdout.write(`${stdout}${stderr}`);
  if (status !== 0) throw new Error(`exit ${status}: ${line}`);
}

/** Runs driftline with the demo's configuration; returns its exit status. */
function driftline(...args: string[]): number {
  say(`$ driftline ${args.join(' ')}`);
  const run = spawnSync(process.execPath, [MAIN, '--config', at('driftline.yaml'), ...args], { encoding: 'utf8' });
  process.stdout.write(`${run.stdout}${run.stderr}`);
  return run.status ?? 1;
}

function expectStatus(expected: number, found: number): void {
  if (found !== expected) throw new Error(`expected exit ${expected}, got ${found}`);
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited ${WAIT_MS / 1000} s in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

interface Watch {
  readonly process: ChildProcess;
  /** Everything that it has printed. */
  text(): string;
}

function startWatch(): Watch {
  say('$ driftline watch &');
  const child = spawn(process.execPath, [MAIN, '--config', at('driftline.yaml'), 'watch'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const show = (chunk: Buffer): void => {
    text += chunk.toString();
    process.stdout.write(chunk);
  };
  child.stdout.on('data', show);
  child.stderr.on('data', show);
  return { process: child, text: () => text };
}

/** What rsync would still have to do to make the mirror equal; empty when it is. */
function mirrorDifference(): string {
  const args = [
    '-a',
    '--omit-dir-times',
    '--checksum',
    '--delete',
    '--dry-run',
    '--itemize-changes',
    `${at('www')}/`,
    `${at('mirror')}/`,
  ];
  return spawnSync('rsync', args, { encoding: 'utf8' }).stdout;
}

function prepare(): void {
  for (const name of ['www/articles', 'etc', 'mirror', 'state']) mkdirSync(at(name), { recursive: true, mode: 0o700 });
  writeFileSync(at('www/index.html'), '<h1>welcome</h1>\n');
  for (let n = 1; n <= 20; n += 1) writeFileSync(at(`www/articles/${n}.html`), `<p>article ${n}</p>\n`);
  writeFileSync(at('etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\n');
  writeFileSync(at('driftline.yaml'), CONFIG, { mode: 0o600 });
  spawnSync('rsync', ['-a', `${at('www')}/`, `${at('mirror')}/`]);
}

async function play(): Promise<void> {
  title(`a website, its mirror and a system file in ${scratch}`);
  prepare();
  expectStatus(0, driftline('init'));
  const watch = startWatch();
  try {
    await until('the watch is ready', () => watch.text().includes('ready:'));
    await editWebsite(watch);
    await tamper(watch);
  } finally {
    watch.process.kill('SIGTERM');
  }
  const status =
    watch.process.exitCode ?? (await new Promise<number>((resolve) => watch.process.once('exit', resolve)));
  expectStatus(0, status);
  expectStatus(0, driftline('journal', '--verify'));
}

async function editWebsite(watch: Watch): Promise<void> {
  title('work on the website: each change is seen, with who made it, and mirrored by rsync');
  const seen = async (text: string): Promise<void> => until(text, () => watch.text().includes(text));
  shell('echo "<p>news</p>" >> www/index.html');
  await seen('www/index.html');
  shell('sed -i s/article/essay/ www/articles/7.html');
  await seen('www/articles/7.html');
  shell('rm www/articles/3.html');
  await seen('www/articles/3.html');
  shell('mv www/articles www/essays');
  await seen('www/essays');
  await until('the mirror follows', () => existsSync(at('mirror/essays/20.html')) && mirrorDifference() === '');
  shell('ls mirror mirror/essays | head -5; diff -r www mirror && echo "mirror is equal"');
}

async function tamper(watch: Watch): Promise<void> {
  title('somebody tampers with a system file: it is critical, an alert goes out, and check finds it');
  shell('echo "eve:x:0:0::/:/bin/sh" >> etc/passwd');
  await until('the drift is told', () => watch.text().includes('etc/passwd'));
  await until(
    'the alert went out',
    () => existsSync(at('alerts')) && readFileSync(at('alerts'), 'utf8').includes('passwd'),
  );
  shell('cat alerts');
  expectStatus(4, driftline('check'));
  title('it was meant: accept it, and all is well');
  expectStatus(0, driftline('accept', at('etc/passwd')));
  expectStatus(0, driftline('check'));
  expectStatus(0, driftline('status'));
}

/** What the demonstration cannot do without, and what to do about it. */
function missing(): string | undefined {
  if (spawnSync('rsync', ['--version']).status !== 0) return 'rsync is not installed: apt-get install rsync';
  if (process.getuid?.() !== 0) return 'watching needs root: sudo npm run demo';
  return undefined;
}

const problem = missing();
const startMs = Date.now();
try {
  if (problem === undefined) {
    await play();
    say(`\ndone in ${((Date.now() - startMs) / 1000).toFixed(1)} s; ${scratch} is removed`);
  } else {
    process.stderr.write(`driftline demo: ${problem}\n`);
    process.exitCode = 77;
  }
} catch (error) {
  process.stderr.write(`driftline demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
