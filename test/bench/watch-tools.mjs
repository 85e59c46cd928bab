// The watchers that are measured beside each other, behind one face: start, tell which file was seen when, stop.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MAIN = resolve(import.meta.dirname, '../../dist/cli/main.js');
const READY_MS = 300_000;
export const now = () => Number(process.hrtime.bigint());
const isThere = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** Files are called f0, f1, ...; `open(place, options)` resolves when the watcher is ready. */
export const TOOLS = [
  { name: 'driftline watch', sees: 'state', open: (place, options) => openDriftline(place, options) },
  { name: 'inotifywait -r', sees: 'events', open: ({ root }) => openLines(['stdbuf', '-oL', 'inotifywait', '-m', '-r', '-e', 'close_write', '-e', 'create', '-e', 'modify', root], /Watches established/, /overflow/i) },
  { name: 'fsnotifywait -S', sees: 'events', open: ({ root }) => openLines(['stdbuf', '-oL', 'fsnotifywait', '-m', '-S', '-e', 'close_write', root], /established/, /overflow/i) },
  { name: 'fatrace', sees: 'events', open: ({ root }) => openLines(['fatrace', '-c', '-f', 'W'], undefined, /overflow|lost/i, root) },
  { name: 'lsyncd', sees: 'sync', open: openLsyncd },
  { name: 'watchman', sees: 'sync', open: openWatchman },
].filter(({ name }) => name.startsWith('driftline') || isThere(name.split(' ')[0]));

const running = new Set();

/** What a measurement that failed left behind. */
export async function stopAll() {
  await Promise.all([...running].map((child) => child.stop()));
}

class Child {
  pid;
  text = '';
  errors = '';
  isOver = false;
  #process;
  #ended;

  constructor([command, ...words], options = {}) {
    this.began = now();
    this.#process = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    process.once('exit', () => this.#process.kill('SIGKILL'));
    this.pid = this.#process.pid;
    this.#process.stderr?.on('data', (bytes) => (this.errors = (this.errors + bytes).slice(-100_000)));
    this.stdout = this.#process.stdout;
    running.add(this);
    this.#ended = new Promise((done) => this.#process.once('exit', done)).then(() => {
      this.isOver = true;
      running.delete(this);
    });
  }

  /** Resolves with how long it took, in ms. */
  async until(what, isSo) {
    while (!isSo()) {
      if (this.isOver) throw new Error(`${this.#process.spawnargs.join(' ')} ended: ${this.errors}`);
      if (now() - this.began > READY_MS * 1e6) throw new Error(`in vain: ${what}\n${this.errors}`);
      await sleep(1);
    }
    return (now() - this.began) / 1e6;
  }

  async stop() {
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    await this.#ended;
    clearTimeout(timer);
  }
}

/** Resident set now and at its largest in MiB, and processor time so far in us, of all threads. */
export function usageOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const mib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1024;
  const [rss, peak] = [mib('VmRSS'), mib('VmHWM')];
  const ran = readdirSync(`/proc/${pid}/task`).map((task) => ranNs(`/proc/${pid}/task/${task}/schedstat`));
  return { rss, peak, cpuUs: ran.reduce((sum, one) => sum + one, 0) / 1e3 };
}

function ranNs(schedstat) {
  try {
    return Number(readFileSync(schedstat, 'latin1').split(' ')[0]);
  } catch {
    // The thread ended meanwhile.
    return 0;
  }
}

/** Notes when the last line about each file came. */
function follow(stream, pattern, onLine = () => {}) {
  const times = new Map();
  let rest = '';
  stream.setEncoding('latin1');
  stream.on('data', (text) => {
    const at = now();
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const file = pattern.exec(line);
      if (file !== null) times.set(Number(file[1]), at);
      onLine(line);
    }
  });
  return times;
}

async function openLines(command, readyText, overflowText, touched) {
  const child = new Child(command, touched === undefined ? {} : { cwd: touched });
  let overflows = 0;
  const times = follow(child.stdout, /\bf(\d+)$/, (line) => (overflows += overflowText.test(line) ? 1 : 0));
  // One that says nothing when it is ready is shown a file until it tells of it.
  const isReady = () => {
    if (readyText !== undefined) return readyText.test(child.errors);
    writeFileSync(join(touched, 'f999999999'), '');
    return times.has(999999999);
  };
  const readyMs = await child.until('ready', isReady);
  return {
    child,
    readyMs,
    times,
    overflows: () => overflows + (child.errors.match(new RegExp(overflowText, 'gi')) ?? []).length,
    close: () => child.stop(),
  };
}

async function openDriftline({ root, scratch }, { who = 'map', quiet = '200ms' } = {}) {
  const config = join(scratch, `driftline-${who}.json`);
  const baseline = join(scratch, `state-${who}/baseline.db`);
  const watch = { who, quiet, deadline: '5s', sweep: 'off' };
  writeFileSync(config, JSON.stringify({ baseline, watch, rules: [{ name: 'all', paths: [root] }] }), { mode: 0o600 });
  const command = (...words) => [process.execPath, MAIN, '--config', config, ...words];
  const run = (...words) => {
    const [file, ...args] = command(...words);
    return spawnSync(file, args, { encoding: 'utf8', maxBuffer: 1 << 30 });
  };
  const made = run('init', '--force');
  if (made.status !== 0) throw new Error(`init: ${made.status}\n${made.stderr}`);
  const child = new Child(command('watch', '--json'));
  const actors = new Map();
  const times = follow(child.stdout, /"path":"[^"]*\/f(\d+)"/, (line) => {
    if (line.includes('"type":"drift"')) actors.set(/"path":"[^"]*\/(\w+)"/.exec(line)?.[1], line);
  });
  const readyMs = await child.until('ready', () => /^ready: /m.test(child.errors));
  return {
    child,
    readyMs,
    times,
    actors,
    overflows: () => (child.errors.match(/overflow/g) ?? []).length,
    /** How many files are told to be changed; who does not read the output all the time misses a part of it. */
    changed: () => JSON.parse(run('status', '--json').stdout).openDrift.changed,
    /** How many files a check finds in another state than the journal says. */
    wrong() {
      const state = ({ path, after }) => `${path} ${after?.mtime} ${after?.digest}`;
      const last = new Map();
      for (const line of run('journal', '--json').stdout.split('\n')) {
        const record = line === '' ? {} : JSON.parse(line);
        if (record.type === 'drift') last.set(record.path, state(record));
        if (record.type === 'resolved') last.delete(record.path);
      }
      const found = JSON.parse(run('check', '--json').stdout).drift;
      return found.filter((record) => last.get(record.path) !== state(record)).length + Math.abs(last.size - found.length);
    },
    close: () => child.stop(),
  };
}

async function openLsyncd({ root, scratch }) {
  const target = join(scratch, 'target');
  const log = join(scratch, 'lsyncd.log');
  mkdirSync(target, { recursive: true });
  writeFileSync(log, '');
  const config = join(scratch, 'lsyncd.lua');
  writeFileSync(config, `settings { nodaemon = true, logfile = "${log}" }\nsync { default.rsync, source = "${root}", target = "${target}", delay = 1 }\n`);
  const child = new Child(['lsyncd', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  const readyMs = await child.until('ready', () => /Startup of .* finished/.test(readFileSync(log, 'latin1')));
  return {
    child,
    readyMs,
    overflows: () => (readFileSync(log, 'latin1').match(/OVERFLOW/gi) ?? []).length,
    /** Files that the target does not have as they are. */
    wrong: () => Number(execFileSync('sh', ['-c', `rsync -rcn --out-format=%n '${root}/' '${target}/' | grep -c 'f[0-9]' || true`], { encoding: 'utf8' })),
    close: () => child.stop(),
  };
}

async function openWatchman({ root, scratch }) {
  const state = join(scratch, 'watchman');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const words = ['--sockname', join(state, 'sock'), '--logfile', join(state, 'log'), '--statefile', join(state, 'state')];
  const pidFile = join(state, 'pid');
  const child = new Child(['watchman', ...words, '--pidfile', pidFile, '--foreground', '--no-spawn-unused'].slice(0, -1));
  const ask = (...query) => spawnSync('watchman', [...words, '--no-spawn', '--no-pretty', '-j'], { input: JSON.stringify(query), encoding: 'utf8', maxBuffer: 1 << 30 });
  await child.until('answers', () => ask('version').status === 0);
  const began = now();
  const answer = ask('watch', root);
  if (answer.status !== 0 || JSON.parse(answer.stdout).error) throw new Error(`watchman: ${answer.stdout}${answer.stderr}`);
  // A clock with a synchronization is answered when the crawl is done.
  const { clock } = JSON.parse(ask('clock', root, { sync_timeout: READY_MS }).stdout);
  return {
    child,
    readyMs: (now() - began) / 1e6,
    overflows: () => (readFileSync(join(state, 'log'), 'latin1').match(/IN_Q_OVERFLOW|recrawl/gi) ?? []).length,
    /** Of the files that were written, those that it does not name as changed since the start. */
    wrong: (files) => files - JSON.parse(ask('query', root, { since: clock, fields: ['name'], expression: ['match', 'f*'] }).stdout).files.length,
    close: () => child.stop(),
  };
}
