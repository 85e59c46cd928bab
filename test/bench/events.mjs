// Storms of close() beside each other: who saw how many, how fast, how late and at what price, as a Markdown table.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const EVENTS = Number(process.argv[2] ?? 100_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const PACED_PER_SECOND = 5_000;
const PACED_EVENTS = Math.min(EVENTS, 2 * PACED_PER_SECOND);
const WRITERS = [1, 4];
const WRITERS_MAX = Math.max(...WRITERS);
const START_MS = 100;
const SENTINEL_MS = 20;

const scratch = mkdtempSync(join(tmpdir(), 'driftline-bench-'));
const root = join(scratch, 'fs');
const stamps = join(scratch, 'stamps');
const writer = join(scratch, 'writer');
const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const now = () => Number(process.hrtime.bigint());
const selected = process.argv[4]?.split(',');

const PROGRAMS = [
  { name: 'driftline/fanotify', open: openLibrary },
  { name: 'driftline trace', open: () => openTool(process.execPath, [main, 'trace', '-e', 'close-write', '--filesystem', root]) },
  { name: 'fatrace', open: () => openTool('fatrace', ['-c', '-f', 'W']) },
  { name: 'fsnotifywait -S', open: () => openTool('stdbuf', ['-oL', 'fsnotifywait', '-m', '-S', '-e', 'close_write', root]) },
].filter(({ name }) => selected === undefined || selected.some((word) => name.includes(word)));

/** The seconds that the threads of a process ran so far, in us. */
function cpuUs(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]));
  return ns.reduce((sum, each) => sum + each, 0) / 1e3;
}

function touch(name) {
  closeSync(openSync(join(root, name), 'w'));
}

/** Writes a file again and again until `seen()`: also after an overflow, and before the program is ready. */
async function touchUntil(name, child, seen) {
  for (const began = now(); !seen(); ) {
    if (child.exitCode !== null || now() - began > 30e9) throw new Error(`${child.spawnargs.join(' ')}: ${child.exitCode ?? 'hangs'}`);
    touch(name);
    await sleep(SENTINEL_MS);
  }
}

function hasEnded({ exitCode, signalCode }) {
  return exitCode !== null || signalCode !== null;
}

async function stop(child) {
  if (hasEnded(child)) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  await gone;
}

async function openLibrary() {
  const into = join(scratch, 'times');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'events-library.mjs'), root, into, String(EVENTS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (bytes) => (text += bytes));
  const end = async (round) => {
    await touchUntil(`end${round}`, child, () => text.includes(`"round":${round},`) && text.endsWith('\n'));
    const { cpuUs: cpu, overflows } = JSON.parse(text.trim().split('\n').at(-1));
    const { buffer } = readFileSync(into).buffer.byteLength === EVENTS * 8 ? readFileSync(into) : Uint8Array.from(readFileSync(into));
    return { times: new Float64Array(buffer), cpuUs: cpu, told: overflows };
  };
  return { begin: () => undefined, end, close: () => stop(child), hasEnded: () => hasEnded(child) };
}

/** One that prints lines: their bytes are kept with the time of their arrival, and looked at when the storm is over. */
async function openTool(command, words) {
  const child = spawn(command, words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let chunks = [];
  let errors = '';
  let tail = '';
  let cpu = 0;
  let isReady = false;
  child.stdout.on('data', (bytes) => {
    chunks.push([now(), bytes]);
    tail = (tail + bytes.subarray(-4096).toString('latin1')).slice(-4096);
  });
  child.stderr.on('data', (bytes) => (errors += bytes));
  const begin = () => {
    chunks = [];
    errors = '';
    cpu = cpuUs(child.pid);
  };
  const end = async (round) => {
    const isOver = () => hasEnded(child) && isReady;
    await touchUntil(`end${round}`, child, () => isOver() || new RegExp(`end${round}\\b`).test(tail));
    isReady = true;
    const cpuUsed = hasEnded(child) ? Number.NaN : cpuUs(child.pid) - cpu;
    return { ...timesOf(chunks, errors), cpuUs: cpuUsed };
  };
  return { begin, end, close: () => stop(child), hasEnded: () => hasEnded(child) };
}

function timesOf(chunks, errors) {
  const times = new Float64Array(EVENTS);
  let told = (errors.match(/overflow|queue|lost/gi) ?? []).length;
  let rest = '';
  for (const [time, bytes] of chunks) {
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const name = /\bf(\d+)$/.exec(line);
      if (name !== null) times[Number(name[1])] = time;
      else if (/overflow/i.test(line)) told += 1;
    }
  }
  return { times, told };
}

function prepare() {
  mkdirSync(root);
  execFileSync('mount', ['-t', 'tmpfs', 'driftline-bench', root]);
  for (let index = 0; index < WRITERS_MAX; index += 1) mkdirSync(join(root, `w${index}`));
  for (const writers of WRITERS) {
    const each = EVENTS / writers;
    for (let index = 0; index < EVENTS; index += 1) touch(`w${Math.floor(index / each)}/f${index}`);
  }
  writeFileSync(stamps, new Float64Array(EVENTS));
  const source = join(import.meta.dirname, 'events-writer.c');
  return spawnSync('gcc', ['-O2', '-o', writer, source]).status === 0
    ? [writer]
    : [process.execPath, join(import.meta.dirname, 'events-writer.mjs')];
}

async function write([command, ...words], writers, perWriter, perSecond) {
  const start = now() + START_MS * 1e6;
  const interval = perSecond === 0 ? 0 : Math.round((writers * 1e9) / perSecond);
  const each = EVENTS / writers;
  const children = Array.from({ length: writers }, (_, index) =>
    spawn(command, [...words, stamps, join(root, `w${index}`), index * each, perWriter, interval, start].map(String), { stdio: 'inherit' }),
  );
  await Promise.all(
    children.map(
      (child) =>
        new Promise((done, fail) => child.once('exit', (code) => (code === 0 ? done() : fail(new Error(`writer: exit ${code}`))))),
    ),
  );
}

let rounds = 0;

async function measure(program, command, writers, events, perSecond) {
  rounds += 1;
  // What a former round noted is not of this one.
  writeFileSync(stamps, new Float64Array(EVENTS));
  program.begin();
  await write(command, writers, events / writers, perSecond);
  const { times, cpuUs: cpu, told } = await program.end(rounds);
  const closed = new Float64Array(Uint8Array.from(readFileSync(stamps)).buffer);
  const late = [];
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  closed.forEach((at, index) => {
    if (at === 0) return;
    first = Math.min(first, at);
    last = Math.max(last, times[index]);
    if (times[index] !== 0) late.push((times[index] - at) / 1e6);
  });
  late.sort((a, b) => a - b);
  const at = (part) => late[Math.floor(late.length * part)] ?? Number.NaN;
  const perSecondSeen = late.length / ((last - first) / 1e9);
  const wroteSeconds = (closed.reduce((most, each) => Math.max(most, each)) - first) / 1e9;
  return { received: late.length, lost: events - late.length, told, perSecondSeen, wrote: events / wroteSeconds, p50: at(0.5), p99: at(0.99), cpu: cpu / late.length };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

async function ready(open) {
  const program = await open();
  rounds += 1;
  await program.end(rounds);
  return program;
}

async function rowOf({ name, open }, command, writers) {
  const measures = [];
  let exits = 0;
  let program = await ready(open);
  try {
    for (let round = 0; round <= ROUNDS + 1; round += 1) {
      const isPaced = round > ROUNDS;
      measures.push(await measure(program, command, writers, isPaced ? PACED_EVENTS : EVENTS, isPaced ? PACED_PER_SECOND : 0));
      if (!program.hasEnded()) continue;
      exits += 1;
      program = await ready(open);
    }
  } finally {
    await program.close();
  }
  // The first storm warms up whoever is compiled while it runs.
  const storms = measures.slice(1, -1);
  const paced = measures.at(-1);
  const of = (key) => median(storms.map((storm) => storm[key]));
  const [received, lost, told] = ['received', 'lost', 'told'].map((key) => storms.reduce((sum, storm) => sum + storm[key], paced[key]));
  const said = exits > 0 ? `**no**, ended in ${exits} of ${ROUNDS + 2}` : told > 0 ? 'yes' : lost > 0 ? '**no**' : 'nothing to say';
  const ms = (value) => value.toFixed(2);
  const cells = [name, writers, of('wrote').toFixed(0), of('perSecondSeen').toFixed(0), received, lost, said, Number.isNaN(of('cpu')) ? '-' : of('cpu').toFixed(2), ms(of('p50')), ms(of('p99')), ms(paced.p50), ms(paced.p99)];
  return `| ${cells.join(' | ')} |`;
}

try {
  const command = prepare();
  console.log(`storms of ${EVENTS} close(), medians of ${ROUNDS} after one to warm up; last columns: at ${PACED_PER_SECOND} a second\n`);
  console.log('| program | writers | closed/s | seen/s | received | lost | told | cpu us/event | p50 ms | p99 ms | paced p50 ms | paced p99 ms |');
  console.log('|---|---:|---:|---:|---:|---:|---|---:|---:|---:|---:|---:|');
  for (const program of PROGRAMS) {
    for (const writers of WRITERS) {
      console.log(await rowOf(program, command, writers));
    }
  }
} finally {
  spawnSync('umount', [root]);
  rmSync(scratch, { recursive: true, force: true });
}
