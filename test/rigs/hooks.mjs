// npm run rig -- hooks: hooks that fail, hang, kill themselves, fork without end, leave children in sessions of their own and
// print gigabytes, behind a watch that is killed and restarted meanwhile. At the end nothing is lost, nothing was delivered
// under two keys, a key always stood for the same names, and no process is left.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { programOf } from './oracle-faults.mjs';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    output: { type: 'string', default: '1G' },
    fault: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** What the rig must notice (oracle-faults.mjs). */
const FAULTS = {
  /** What used up its attempts is dropped. */
  lose: [
    [
      'sqlite/outbox.ts',
      "database.run(\"update batch set attempts = attempts + 1, state = 'dead' where key = ?\", key);",
      "database.run('delete from outbox where batch = ?', key);database.run('delete from batch where key = ?', key);",
    ],
  ],
  /** A failed attempt loses its key. */
  rekey: [
    [
      'engine/settlement.ts',
      "{ kind: 'again', notBeforeMs: nowMs + pauseMs, counts: true }",
      "{ kind: 'released' }",
    ],
  ],
  /** Nobody kills what left the process group. */
  leave: [['hooks/cgroup.ts', "writeFileSync(join(dir, 'cgroup.kill'), '1')", 'undefined']],
};

if (options.help) {
  console.log(`usage: npm run rig -- hooks [--runs N] [--seed N] [--output 1G] [--fault ${Object.keys(FAULTS).join('|')}]
  As root. --runs: how many runs of hooks (2000). --output: what a run prints at most. --fault: in a copy of the program
  something is left out; exit status 0 when the rig notices.`);
  process.exit(0);
}

const PATIENCE_MS = 240_000;
/** Beside what all have in common. */
const HOOKS = [
  { name: 'plain' },
  { name: 'cut', maxPaths: 4 },
  { name: 'three', concurrency: 3, maxPaths: 4 },
  { name: 'restart', onBusy: 'restart' },
  { name: 'breaker', breaker: { failures: 3, pause: '200ms' } },
  { name: 'nobody', user: 'nobody' },
  { name: 'around', before: ['true'], after: ['true'], onFailure: ['cat'] },
  { name: 'few', retry: { attempts: 2, backoff: '5ms..20ms' } },
];
const directory = mkdtempSync(join(tmpdir(), 'driftline-hooks-rig-'));
const mount = join(directory, 'fs');
const root = join(mount, 'root');
const config = join(directory, 'driftline.yaml');
const script = join(directory, 'script');
const COMMON = {
  run: [script, directory],
  with: { rig: directory, output: options.output },
  quiet: '10ms',
  deadline: '100ms',
  timeout: '3s',
  grace: '200ms',
  retry: { attempts: 4, backoff: '10ms..200ms' },
  breaker: 'off',
  limits: { tasks: 40 },
};
const program = programOf(options.fault, directory, FAULTS);
const random = seeded(Number(options.seed));
const pids = [];
let daemon;
let files = 0;

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => {
  cleanUp();
  process.exit(1);
});
try {
  const findings = await play();
  for (const finding of findings) console.log(`  ${finding}`);
  const noticed = findings.length > 0;
  if (options.fault !== undefined) console.log(noticed ? `the fault was noticed: ${options.fault}` : 'the fault was NOT noticed');
  else console.log(noticed ? 'FAILED' : 'ok: nothing lost, no second key, no process left');
  process.exitCode = noticed === (options.fault !== undefined) ? 0 : 1;
} finally {
  cleanUp();
}

function cleanUp() {
  daemon?.kill('SIGKILL');
  for (const pid of marked()) process.kill(pid, 'SIGKILL');
  spawnSync('umount', ['-l', mount]);
  rmSync(directory, { recursive: true, force: true });
}

async function play() {
  const startMs = Date.now();
  console.log(`seed ${options.seed}, ${options.runs} runs`);
  prepare();
  driftline('init', '--force');
  await start();
  while (started() < Number(options.runs)) {
    await trouble(1_000 + random() * 4_000);
    if (started() >= Number(options.runs)) break;
    await (random() < 0.7 ? end('SIGKILL') : end('SIGTERM'));
    await start();
  }
  writeFileSync(join(directory, 'calm'), '');
  await calmDown();
  await end('SIGTERM');
  const findings = judge();
  console.log(`${started()} runs, ${files} drifts for each of ${HOOKS.length} hooks, ${pids.length} watches, ${Math.round((Date.now() - startMs) / 1000)} s`);
  return findings;
}

function prepare() {
  mkdirSync(mount);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64M', 'driftline-hooks-rig', mount]);
  mkdirSync(root);
  chmodSync(directory, 0o755);
  writeFileSync(script, readFileSync(join(import.meta.dirname, 'hooks-script.sh')), { mode: 0o755 });
  mkdirSync(join(directory, 'inputs'));
  for (const file of ['started', 'done', 'differs']) writeFileSync(join(directory, file), '');
  for (const name of ['inputs', 'started', 'done', 'differs']) chmodSync(join(directory, name), 0o777);
  const settings = {
    baseline: join(directory, 'state/baseline.db'),
    watch: { quiet: '10ms', deadline: '200ms', sweep: 'off', hooks: { concurrency: 6 } },
    rules: [{ name: 'rig', paths: [root], onDrift: 'accept', hooks: HOOKS.map(({ name }) => name) }],
    hooks: Object.fromEntries(HOOKS.map(({ name, ...special }) => [name, { ...COMMON, ...special }])),
  };
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 });
}

function driftline(...args) {
  return execFileSync(process.execPath, [program, '--config', config, ...args], { encoding: 'utf8', maxBuffer: 1 << 30 });
}

async function start() {
  daemon = spawn(process.execPath, [program, '--config', config, 'watch'], { stdio: ['ignore', 'ignore', 'pipe'] });
  pids.push(daemon.pid);
  let said = '';
  daemon.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-4_000);
  });
  await until('a watch that is ready', () => {
    if (daemon.exitCode !== null) throw new Error(`the watch ended: ${said}`);
    return /^ready:/m.test(said);
  });
}

async function end(signal) {
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  daemon.kill(signal);
  await ended;
}

/** Makes drift, one at a time or many together. */
async function trouble(forMs) {
  const untilMs = Date.now() + forMs;
  while (Date.now() < untilMs && started() < Number(options.runs)) {
    for (let count = random() < 0.1 ? 20 : 1; count > 0; count -= 1) {
      // A link is there at once and whole: one drift, whenever it is looked at.
      symlinkSync('nowhere', join(root, `f${files}`));
      files += 1;
    }
    await sleep(50 + random() * 300);
  }
}

/** From now on every run is good: what was put off or given up is delivered. */
async function calmDown() {
  await until(
    'everything delivered',
    () => {
      const { hooks } = JSON.parse(driftline('status', '--json'));
      for (const { name, dead } of hooks) if (dead > 0) driftline('hook', 'run', '--pending', name);
      return hooks.every(({ pending, dead, running }) => pending === 0 && dead === 0 && !running);
    },
    500,
  );
}

function judge() {
  const findings = [];
  const records = driftline('journal', '--json').trimEnd().split('\n').map((line) => JSON.parse(line));
  const runs = records.filter(({ type }) => type === 'run');
  const good = new Set(runs.filter(({ outcome }) => outcome === 'ok').map(({ hook, key }) => `${hook} ${key}`));
  const done = new Set(readFileSync(join(directory, 'done'), 'utf8').trimEnd().split('\n'));
  for (const { name } of HOOKS) {
    const keys = keysByPath(name);
    // A run that makes room for newer drift gives up its key.
    const finished = (key) => name !== 'restart' && done.has(`${name} ${key}`);
    const delivered = [...keys.values()].map((list) => list.filter((key) => good.has(`${name} ${key}`)));
    const lost = files - delivered.filter((list) => list.length > 0).length;
    if (lost > 0) findings.push(`hook ${name}: ${lost} of ${files} drifts were never delivered`);
    const twice = [...keys].filter(([, list]) => list.filter((key) => good.has(`${name} ${key}`) || finished(key)).length > 1);
    if (twice.length > 0) findings.push(`hook ${name}: ${twice.length} drifts were delivered under two keys, as ${twice[0]}`);
  }
  const again = runs.filter(({ outcome }) => outcome === 'ok').length - good.size;
  if (again > 0) findings.push(`${again} batches were delivered again after they had been delivered`);
  if (statSync(join(directory, 'differs')).size > 0) findings.push('a key stood for other names than before');
  const left = marked();
  if (left.length > 0) findings.push(`${left.length} processes are left: ${left.slice(0, 5)}`);
  const cgroups = spawnSync('find', ['/sys/fs/cgroup', '-name', 'driftline-hook.*'], { encoding: 'utf8' }).stdout.split('\n');
  const ours = cgroups.filter((path) => pids.some((pid) => path.includes(`driftline-hook.${pid}.`)));
  if (ours.length > 0) findings.push(`${ours.length} cgroups are left: ${ours[0]}`);
  const outcomes = Object.groupBy?.(runs, ({ outcome }) => outcome) ?? {};
  console.log(`journal: ${Object.entries(outcomes).map(([outcome, list]) => `${list.length} ${outcome}`).join(', ') || runs.length}`);
  return findings;
}

/** Path -> the keys of the batches that had it. */
function keysByPath(hook) {
  const keys = new Map();
  for (const name of readdirSync(join(directory, 'inputs'))) {
    const [of, key, run] = name.split('.');
    if (of !== hook || run !== undefined) continue;
    for (const path of readFileSync(join(directory, 'inputs', name), 'latin1').split('\0')) {
      if (path !== '' && path !== root) keys.set(path, [...(keys.get(path) ?? []), key]);
    }
  }
  return keys;
}

function started() {
  return statSync(join(directory, 'started')).size;
}

/** Processes of our hooks, wherever they are: their environment names the rig. */
function marked() {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isMarked(pid)).map(Number);
}

function isMarked(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`DRIFTLINE_RIG=${directory}`);
  } catch {
    return false;
  }
}

async function until(what, isSo, everyMs = 20) {
  const deadlineMs = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    if (Date.now() > deadlineMs) throw new Error(`in vain: ${what}`);
    await sleep(everyMs);
  }
}

function seeded(seed) {
  let state = seed >>> 0;
  // Numerical Recipes' generator: good enough to choose moments.
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
