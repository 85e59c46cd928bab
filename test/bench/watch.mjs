// The watch beside other watchers: what it costs to begin, what is lost in a storm, how late a change is told, who did it.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { now, stopAll, TOOLS, usageOf } from './watch-tools.mjs';

const HELP = `usage: npm run bench -- watch [setup] [storm] [memory] [latency] [who] [OPTION...]
  --directories N   setup: directories, with one file each; default 40000
  --idle-s N        setup: how long the idle processor time is measured; default 10
  --writes N        storm: writes by 4 writers; default 1000000
  --files N         storm: files that they write to in turn; default 8000
  --paths N         memory: files, 100 in each directory, that are all rewritten at once; default 150000
  --rounds N        memory: how often; default 1
  --changes N       latency: single changes; default 200
  --runs N          who: short-lived writers; default 2000
  --tools LIST      only these, by the beginning of their names
  --who LIST        who: settings of driftline's who; default map
`;
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    directories: { type: 'string', default: '40000' },
    'idle-s': { type: 'string', default: '10' },
    writes: { type: 'string', default: '1000000' },
    files: { type: 'string', default: '8000' },
    paths: { type: 'string', default: '150000' },
    rounds: { type: 'string', default: '1' },
    changes: { type: 'string', default: '200' },
    runs: { type: 'string', default: '2000' },
    tools: { type: 'string' },
    who: { type: 'string', default: 'map' },
    help: { type: 'boolean', default: false },
  },
});
const WRITERS = 4;
const QUIET_MS = 20;
/** Without news for this long, nothing more will come. */
const SILENCE_MS = 3_000;
const PATIENCE_MS = 20_000;
const number = (name) => Number(options[name]);
const tools = TOOLS.filter(({ name }) => options.tools === undefined || options.tools.split(',').some((word) => name.startsWith(word)));
const scratch = mkdtempSync(join(tmpdir(), 'driftline-bench-'));
const place = { scratch, root: join(scratch, 'fs') };

function table(title, head, rows) {
  console.log(`\n### ${title}\n\n| ${head.join(' | ')} |\n|${head.map((_, at) => (at === 0 ? '---' : '---:')).join('|')}|`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}

function mount() {
  mkdirSync(place.root, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'nr_inodes=0,size=75%', 'driftline-bench', place.root]);
}

function unmount() {
  execFileSync('umount', ['-l', place.root]);
}

/** Each tool on a filesystem of its own; what it cannot do is said in its row. */
async function rowsOf(chosen, fill, measure) {
  const rows = [];
  for (const tool of chosen) {
    mount();
    try {
      fill();
      rows.push([tool.name, ...(await measure(tool))]);
      process.stderr.write(`${rows.at(-1).join(' | ')}\n`);
    } catch (error) {
      await stopAll();
      rows.push([tool.name, `failed: ${String(error.message).split('\n').slice(0, 2).join(' ').slice(0, 120)}`]);
    } finally {
      unmount();
    }
  }
  return rows;
}

async function setup() {
  const count = number('directories');
  const fill = () => {
    for (let n = 0; n < count; n += 1) {
      const directory = join(place.root, `d${n % 200}`, `e${n}`);
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, `f${n}`), '');
    }
  };
  const empty = new Map((await rowsOf(tools, () => {}, async (tool) => [await readyOf(tool)])).map(([name, ms]) => [name, ms]));
  const rows = await rowsOf(tools, fill, async (tool) => {
    const opened = await tool.open(place);
    const before = usageOf(opened.child.pid);
    await sleep(number('idle-s') * 1000);
    const after = usageOf(opened.child.pid);
    await opened.close();
    const idle = (after.cpuUs - before.cpuUs) / (number('idle-s') * 1e4);
    return [opened.readyMs.toFixed(0), (opened.readyMs - empty.get(tool.name)).toFixed(0), after.rss.toFixed(0), idle.toFixed(2)];
  });
  table(`setup: ${count} directories with a file each`, ['program', 'ready ms', 'more than when empty', 'RSS MiB', 'idle CPU %'], rows);
}

async function readyOf(tool) {
  const opened = await tool.open(place);
  await opened.close();
  return opened.readyMs;
}

const stamps = join(scratch, 'stamps');
const writer = join(scratch, 'writer');

async function storm() {
  const [files, writes] = [number('files'), number('writes')];
  const fill = () => {
    for (let n = 0; n < WRITERS; n += 1) mkdirSync(join(place.root, `w${n}`));
    for (let n = 0; n < files; n += 1) writeFileSync(join(place.root, `w${Math.floor(n / (files / WRITERS))}`, `f${n}`), '-');
    writeFileSync(stamps, new Float64Array(files));
  };
  const alone = await rowsOf([{ name: 'nobody' }], fill, async () => [(await write(files, writes)).cpuUs / writes]);
  const [[, aloneUs]] = alone;
  const rows = await rowsOf(tools, fill, async (tool) => {
    const opened = await tool.open(place);
    const before = usageOf(opened.child.pid).cpuUs;
    const { cpuUs, seconds } = await write(files, writes);
    await silence(opened);
    const { rss, cpuUs: after } = usageOf(opened.child.pid);
    const said = opened.overflows();
    const missed = opened.wrong ? await settled(() => opened.wrong(files)) : late(opened.times, files);
    await opened.close();
    const told = said > 0 ? 'yes' : missed > 0 ? '**no**' : 'nothing to say';
    return [(writes / seconds).toFixed(0), (cpuUs / writes - aloneUs).toFixed(2), missed, told, ((after - before) / writes).toFixed(2), rss.toFixed(0)];
  });
  const title = `storm: ${WRITERS} writers, ${writes} writes to ${files} files (alone: ${aloneUs.toFixed(2)} us each)`;
  table(title, ['program', 'writes/s', 'writers slowed, us/write', 'files whose end state was missed', 'loss told', 'its CPU us/write', 'RSS MiB'], rows);
}

/** Everything that is watched becomes drift: how much of that is in memory at once. */
async function memory() {
  const [paths, rounds] = [number('paths'), number('rounds')];
  const rewrite = (round) => {
    for (let n = 0; n < paths; n += 1) writeFileSync(join(place.root, `d${Math.floor(n / 100)}`, `f${n}`), 'x'.repeat(round + 1));
  };
  const fill = () => {
    for (let n = 0; n * 100 < paths; n += 1) mkdirSync(join(place.root, `d${n}`));
    rewrite(0);
  };
  const rows = await rowsOf(TOOLS.slice(0, 1), fill, async (tool) => {
    const opened = await tool.open(place);
    const idle = usageOf(opened.child.pid);
    for (let round = 1; round <= rounds; round += 1) rewrite(round);
    await silence(opened);
    const { rss, peak, cpuUs } = usageOf(opened.child.pid);
    const told = opened.changed();
    await opened.close();
    return [idle.rss.toFixed(0), peak.toFixed(0), rss.toFixed(0), told, opened.overflows(), ((cpuUs - idle.cpuUs) / told).toFixed(0)];
  });
  const title = `memory: ${paths} files of ${Math.ceil(paths / 100)} directories, rewritten ${rounds} times`;
  table(title, ['program', 'RSS before MiB', 'peak MiB', 'after MiB', 'files told', 'overflows', 'its CPU us/file'], rows);
}

async function write(files, writes) {
  const began = now();
  const each = files / WRITERS;
  const texts = await Promise.all(
    Array.from({ length: WRITERS }, (_, n) => output(writer, [stamps, join(place.root, `w${n}`), n * each, each, writes / WRITERS].map(String))),
  );
  return { cpuUs: texts.reduce((sum, text) => sum + Number(text), 0), seconds: (now() - began) / 1e9 };
}

function output(command, words) {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (bytes) => (text += bytes));
  return new Promise((done, fail) => child.once('close', (code) => (code === 0 ? done(text) : fail(new Error(`${command}: ${code}`)))));
}

/** Until the tool neither works nor says anything any more. */
async function silence({ child, times }) {
  for (let quietSince = now(), last = ''; now() - quietSince < SILENCE_MS * 1e6; await sleep(200)) {
    if (child.isOver) return;
    const news = `${times?.size} ${Math.round(usageOf(child.pid).cpuUs / 50_000)}`;
    if (news !== last) [quietSince, last] = [now(), news];
  }
}

/** What is wrong once it does not become less any more: a program of the tool's may still be at work. */
async function settled(wrong) {
  for (let best = wrong(), since = now(); ; await sleep(500)) {
    if (best === 0 || now() - since > PATIENCE_MS * 1e6) return best;
    const next = wrong();
    if (next < best) [best, since] = [next, now()];
  }
}

/** Files of which nothing was told after they were closed for the last time. */
function late(times, files) {
  const closed = new Float64Array(Uint8Array.from(readFileSync(stamps)).buffer);
  let missed = 0;
  for (let n = 0; n < files; n += 1) if ((times.get(n) ?? 0) < closed[n]) missed += 1;
  return missed;
}

async function latency() {
  const count = number('changes');
  const fill = () => {
    for (let n = 0; n < count; n += 1) writeFileSync(join(place.root, `f${n}`), '');
  };
  const rows = await rowsOf(tools.filter(({ sees }) => sees !== 'sync'), fill, async (tool) => {
    const opened = await tool.open(place, { quiet: `${QUIET_MS}ms` });
    const closed = [];
    for (let n = 0; n < count; n += 1) {
      const fd = openSync(join(place.root, `f${n}`), 'w');
      writeSync(fd, String(n));
      closed[n] = now();
      closeSync(fd);
      await sleep(3 * QUIET_MS + (n % 7));
    }
    await silence(opened);
    await opened.close();
    const quiet = tool.sees === 'state' ? QUIET_MS : 0;
    const late = closed.flatMap((at, n) => (opened.times.has(n) ? [(opened.times.get(n) - at) / 1e6 - quiet] : [])).sort((a, b) => a - b);
    const at = (part) => late[Math.floor(late.length * part)]?.toFixed(2) ?? '-';
    return [`${late.length} of ${count}`, at(0.5), at(0.99)];
  });
  table(`latency: close() to the line (driftline: to the journaled drift, beyond quiet)`, ['program', 'told', 'p50 ms', 'p99 ms'], rows);
}

async function who() {
  const count = number('runs');
  const script = `for n in $(seq 0 ${count - 1}); do /bin/cp "$1/source" "$1/f$n"; done`;
  const fill = () => writeFileSync(join(place.root, 'source'), 'x');
  const driftline = TOOLS[0];
  const settings = options.who.split(',').map((who) => ({ name: `driftline who: ${who}`, open: (at) => driftline.open(at, { who }) }));
  const rows = await rowsOf(settings, fill, async (tool) => {
    const opened = await tool.open(place);
    const ms = await timed(() => output('sh', ['-c', script, 'sh', place.root]));
    await silence(opened);
    await opened.close();
    const lines = [...opened.actors].filter(([name]) => /^f\d+$/.test(name ?? ''));
    const named = lines.filter(([, line]) => /"exe":"[^"]*\/cp"/.test(line));
    const words = lines.filter(([name, line]) => line.includes(`"cmdline":["/bin/cp",`) && line.includes(`/${name}"]`));
    return [lines.length, named.length, words.length, (ms / count).toFixed(2)];
  });
  if (TOOLS.some(({ name }) => name === 'fatrace')) rows.push(...(await rowsOf([{ name: 'fatrace' }], fill, () => fatraceWho(script, count))));
  table(`who: ${count} runs of cp(1), one after another`, ['program', 'files told', 'program known', 'its arguments known', 'ms a run'], rows);
}

async function fatraceWho(script, count) {
  const opened = await TOOLS.find(({ name }) => name === 'fatrace').open(place);
  const names = new Map();
  opened.child.stdout.on('data', (text) => {
    for (const [, comm, file] of text.matchAll(/^(\S+?)\(\d+\)[^:]*: \S+ .*\/(f\d+)$/gm)) names.set(file, comm);
  });
  const ms = await timed(() => output('sh', ['-c', script, 'sh', place.root]));
  await silence(opened);
  await opened.close();
  return [names.size, [...names.values()].filter((comm) => comm === 'cp').length, '-', (ms / count).toFixed(2)];
}

async function timed(work) {
  const began = now();
  await work();
  return (now() - began) / 1e6;
}

const CASES = { setup, storm, memory, latency, who };
const chosen = positionals.length > 0 ? positionals : Object.keys(CASES);
if (options.help || chosen.some((name) => CASES[name] === undefined)) {
  console.log(HELP);
  process.exit(options.help ? 0 : 64);
}
process.setMaxListeners(0);
process.once('exit', () => {
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${place.root} `)) unmount();
  rmSync(scratch, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
execFileSync('gcc', ['-O2', '-o', writer, join(import.meta.dirname, 'watch-writer.c')]);
for (const name of chosen) await CASES[name]();
