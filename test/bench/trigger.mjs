// From a change to the mirror, and whether a command that writes where it is told to look ends: driftline, lsyncd and
// inotifywait side by side in one run, as Markdown tables.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [FILES = 200_000, CHANGED = 20_000, ROUNDS = 5] = process.argv.slice(2, 5).map(Number);
/** Words of names, separated by commas: only those. */
const SELECTED = process.argv[5]?.split(',') ?? [''];
const LOOP_MS = 8_000;
const PER_DIRECTORY = 100;
/** Longer than anybody's wait: what hangs is no measurement. */
const PATIENCE_MS = 600_000;

const scratch = mkdtempSync(join(tmpdir(), 'driftline-bench-'));
const at = (name) => join(scratch, name);
const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const source = at('fs/source');
const target = at('fs/target');
const now = () => performance.now();

const MIRRORS = [
  { name: 'driftline watch, rsync-mirror', waitMs: 100, prepare: driftlineInit, start: driftlineWatch },
  { name: 'lsyncd, delay = 1', waitMs: 1_000, prepare: () => undefined, start: () => lsyncdMirror(1) },
  { name: 'lsyncd, delay = 0', waitMs: 0, prepare: () => undefined, start: () => lsyncdMirror(0) },
  { name: 'inotifywait \\| rsync', waitMs: 100, prepare: () => undefined, start: inotifywaitMirror },
];

function isSelected({ name }) {
  return SELECTED.some((word) => name.includes(word));
}

/** A tree that is already mirrored. */
function makeTrees() {
  execFileSync('truncate', ['-s', '8G', at('image')]);
  execFileSync('mkfs.ext4', ['-q', '-b', '1024', '-N', String(FILES * 3 + 50_000), at('image')]);
  mkdirSync(at('fs'));
  execFileSync('mount', ['-o', 'loop', at('image'), at('fs')]);
  for (const dir of [source, target]) mkdirSync(dir);
  for (let index = 0; index < FILES; index += 1) {
    if (index % PER_DIRECTORY === 0) mkdirSync(join(source, `d${index / PER_DIRECTORY}`));
    writeFileSync(join(source, nameOf(index)), `file ${index}\n`);
  }
  execFileSync('rsync', ['-a', `${source}/`, `${target}/`]);
}

function nameOf(index) {
  return `d${Math.floor(index / PER_DIRECTORY)}/f${index}`;
}

function driftlineInit() {
  writeFileSync(at('driftline.yaml'), JSON.stringify({
    baseline: at('state/baseline.db'),
    watch: { quiet: '40ms', deadline: '2s' },
    rules: [{ name: 'tree', paths: [source], onDrift: 'accept', hooks: ['mirror'] }],
    hooks: { mirror: { use: 'rsync-mirror', with: { source, target }, quiet: '60ms' } },
  }), { mode: 0o600 });
  execFileSync(process.execPath, [main, '--config', at('driftline.yaml'), 'init', '--force'], { stdio: 'ignore' });
}

function driftlineWatch() {
  return start(process.execPath, [main, '--config', at('driftline.yaml'), 'watch'], /^ready: /m);
}

function lsyncdMirror(delay) {
  writeFileSync(at('lsyncd.lua'), `settings { nodaemon = true }
sync { default.rsync, source = "${source}", target = "${target}", delay = ${delay}, rsync = { archive = true } }\n`);
  return start('lsyncd', ['-nodaemon', '-log', 'Normal', at('lsyncd.lua')], /Startup of .* finished/);
}

/** The recipe of many pages: whatever happens, wait until it is quiet, then let rsync look at everything. */
function inotifywaitMirror() {
  const events = 'close_write,create,delete,move,attrib';
  const script = `inotifywait -m -r -e ${events} "$1" | while read -r line; do
    while read -r -t 0.1 line; do :; done
    rsync -a --delete "$1/" "$2/"
  done`;
  return start('bash', ['-c', script, 'bash', source, target], /Watches established/);
}

/** Starts a program in a session of its own; resolves when it says that it is ready. */
async function start(command, words, isReady) {
  const began = now();
  const child = spawn(command, words, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text = (text + bytes).slice(-20_000)));
  while (!isReady.test(text)) {
    if (child.exitCode !== null || now() - began > PATIENCE_MS) throw new Error(`${command} ${words.join(' ')}:\n${text}`);
    await sleep(1);
  }
  const stop = async () => {
    const gone = new Promise((done) => child.once('exit', done));
    if (child.exitCode === null) {
      process.kill(-child.pid, 'SIGTERM');
      await gone;
    }
  };
  return { readyMs: now() - began, pid: child.pid, stop };
}

/** Processor time of a session so far, with all that it has reaped; ms (proc_pid_stat(5), 100 ticks a second). */
function cpuMs(session) {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statOf(pid);
    if (Number(fields[3]) === session) ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  }
  return ticks * 10;
}

function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function rssMiB(session) {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(statOf(name)[3]) === session);
  return pids.reduce((sum, pid) => sum + Number(statOf(pid)[21] ?? 0) * 4096, 0) / 2 ** 20;
}

function contentOf(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** Writes files, and waits until the mirror has all of them; ms from the first write. */
async function change(indexes, mark) {
  const text = (index) => `${mark} ${index}\n`;
  const began = now();
  for (const index of indexes) writeFileSync(join(source, nameOf(index)), text(index));
  for (const index of indexes) {
    while (contentOf(join(target, nameOf(index))) !== text(index)) {
      if (now() - began > PATIENCE_MS) throw new Error(`${nameOf(index)} is not mirrored`);
      await sleep(1);
    }
  }
  return now() - began;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

async function mirrorRow({ name, waitMs, prepare, start: begin }) {
  prepare();
  const mirror = await begin();
  try {
    const rssBefore = rssMiB(mirror.pid);
    const single = [];
    const cpuBefore = cpuMs(mirror.pid);
    for (let round = 0; round < ROUNDS; round += 1) {
      single.push(await change([Math.floor((FILES * (round + 0.5)) / ROUNDS)], `${name} ${round}`));
      // What still comes of this one is not the next one's.
      await sleep(waitMs + 1_000);
    }
    const cpuEach = (cpuMs(mirror.pid) - cpuBefore) / ROUNDS;
    const step = Math.max(1, Math.floor(FILES / CHANGED));
    const many = await change(Array.from({ length: CHANGED }, (_, index) => (index * step) % FILES), `${name} many`);
    await sleep(waitMs + 1_000);
    const left = spawnSync('rsync', ['-a', '--omit-dir-times', '--checksum', '--delete', '-n', '-i', `${source}/`, `${target}/`], { encoding: 'utf8', maxBuffer: 1 << 28 });
    const p50 = median(single);
    const cells = [name, (mirror.readyMs / 1000).toFixed(2), rssBefore.toFixed(0), waitMs, p50.toFixed(0), Math.max(...single).toFixed(0), (p50 - waitMs).toFixed(0), cpuEach.toFixed(0), (many / 1000).toFixed(1), left.stdout.split('\n').length - 1];
    return `| ${cells.join(' | ')} |`;
  } finally {
    await mirror.stop();
  }
}

/** A command that writes into what it is told of; each run leaves a line outside. */
function loops() {
  const [dir, count] = [at('fs/loop'), at('count')];
  const script = `echo run >>${count}; date +%N >>${dir}/own`;
  const config = at('loop.yaml');
  const hook = { run: ['sh', '-c', script], stdin: 'none', quiet: '60ms' };
  const driftline = async () => {
    writeFileSync(config, JSON.stringify({
      baseline: at('loop-state/baseline.db'),
      watch: { quiet: '40ms' },
      rules: [{ name: 'loop', paths: [dir], onDrift: 'accept', hooks: ['own'] }],
      hooks: { own: hook },
    }), { mode: 0o600 });
    execFileSync(process.execPath, [main, '--config', config, 'init', '--force'], { stdio: 'ignore' });
    return await start(process.execPath, [main, '--config', config, 'watch'], /^ready: /m);
  };
  const lsyncd = () => {
    const action = JSON.stringify(script);
    writeFileSync(at('loop.lua'), `settings { nodaemon = true }
sync { source = "${dir}", delay = 0, maxProcesses = 1, onCreate = ${action}, onModify = ${action} }\n`);
    return start('lsyncd', ['-nodaemon', '-log', 'Normal', at('loop.lua')], /recursive startup|Startup|startup/i);
  };
  const pipe = `inotifywait -m -r -e close_write ${dir} | while read -r line; do ${script}; done`;
  return {
    dir,
    count,
    programs: [
      ['driftline watch', driftline],
      ['driftline run', () => start(process.execPath, [main, 'run', '--quiet', '100ms', dir, '--', 'sh', '-c', script], /^known: /m)],
      ['lsyncd, delay = 0', lsyncd],
      ['inotifywait \\| sh', () => start('bash', ['-c', pipe], /Watches established/)],
    ],
  };
}

async function loopRow(name, begin, { dir, count }) {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  writeFileSync(join(dir, 'file'), 'before');
  const program = await begin();
  try {
    await sleep(1_000);
    rmSync(count, { force: true });
    writeFileSync(join(dir, 'file'), 'after');
    await sleep(LOOP_MS);
    return `| ${name} | ${(contentOf(count) ?? '').split('\n').length - 1} |`;
  } finally {
    await program.stop();
  }
}

try {
  makeTrees();
  console.log(`${FILES} files in ${Math.ceil(FILES / PER_DIRECTORY)} directories, mirrored on the same filesystem; one changed ${ROUNDS} times, then ${CHANGED}\n`);
  console.log('| | ready s | RSS MiB | waits ms | one file p50 ms | max ms | beyond its wait ms | cpu ms | all changed s | left to do |');
  console.log('|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|');
  for (const mirror of MIRRORS.filter(isSelected)) console.log(await mirrorRow(mirror));
  console.log(`\nA command that writes into what it watches, ${LOOP_MS / 1000} s after one change:\n\n| | runs |\n|---|---:|`);
  const around = loops();
  for (const [name, begin] of around.programs) {
    if (isSelected({ name })) console.log(await loopRow(name, begin, around));
  }
} finally {
  // Lazily: what was just killed may still be about to leave.
  spawnSync('umount', ['-l', at('fs')]);
  rmSync(scratch, { recursive: true, force: true });
}
