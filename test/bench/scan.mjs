// Whole commands side by side, interleaved, in one run: medians and ratios, as Markdown and as a plot.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { median, peakMemory, timed } from './measure.mjs';
import { coldCommands, ownCommands, peerCommands } from './scan-commands.mjs';
import { markdownOf, plotOf } from './scan-report.mjs';
import { caseList, makeTree, sizeOf } from './scan-trees.mjs';

const USAGE = `npm run bench -- scan [OPTIONS]
  --cases LIST    of usr, small, large, medium, cold, growth (default: all)
  --rounds N      of each case (default 5); a case that has spent its budget ends earlier
  --budget S      seconds that the rounds of a case may take, without those of the peers (default 240)
  --peers LIST    cases on which aide, tripwire and integrit run as well, and in how many of the rounds
                  (default usr=5,medium=5,small=1,large=1: a round of them takes 2 to 20 minutes; or none)
  --dir DIR       where trees are made, and removed afterwards (default /var/tmp; 25 GB)
  --scale F       makes the trees smaller, to try this program (default 1)
  --most N        files of the largest tree of the growth case (default 1000000)
  --out DIR       for scan.md and scan.svg (default test/bench/results)`;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: 'usr,small,large,medium,cold,growth' },
    rounds: { type: 'string', default: '5' },
    budget: { type: 'string', default: '240' },
    peers: { type: 'string', default: 'usr=5,medium=5,small=1,large=1' },
    dir: { type: 'string', default: '/var/tmp' },
    scale: { type: 'string', default: '1' },
    most: { type: 'string', default: '1000000' },
    out: { type: 'string', default: resolve(import.meta.dirname, 'results') },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const [rounds, budget, scale] = [values.rounds, values.budget, values.scale].map(Number);
const wanted = values.cases.split(',');
const peerRounds = new Map(values.peers.split(',').map((each) => [each.split('=')[0], Number(each.split('=')[1] ?? rounds)]));
const began = performance.now();
const base = mkdtempSync(join(values.dir, 'driftline-bench-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// Before anything here adds to its load.
const host = machine();
const say = (text) => console.error(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`);

const cases = [];
const growth = [];
const all = caseList(scale);
mkdirSync(values.out, { recursive: true });
for (const name of wanted.filter((each) => each !== 'growth')) {
  if (all[name] === undefined) throw new Error(`there is no case ${name}\n${USAGE}`);
  cases.push({ name, ...(await measureCase(name, all[name])) });
  write();
}
if (wanted.includes('growth')) await measureGrowth();
console.log(write());
say(`wrote ${values.out}/scan.md and scan.svg`);

/** After each case, so that one that fails takes nothing along. */
function write() {
  const results = { cases, growth, machine: host, minutes: (performance.now() - began) / 60_000 };
  const table = markdownOf(results);
  writeFileSync(join(values.out, 'scan.md'), table);
  writeFileSync(join(values.out, 'scan.svg'), plotOf(results));
  return table;
}

async function measureCase(name, { title, root, tree, isCold = false }) {
  const at = root ?? join(base, name);
  if (tree !== undefined) await make(at, tree, title);
  const scratch = join(base, `${name}-scratch`);
  mkdirSync(scratch);
  const own = isCold ? coldCommands(at, scratch) : ownCommands(at, scratch);
  const peers = peerRounds.has(name) ? peerCommands(at, scratch) : [];
  if (isCold) timed(ownCommands(at, scratch)[1], scratch);
  const rows = await measure(title, own, { peers, peerRounds: peerRounds.get(name) ?? 0, scratch, isCold });
  const size = sizeOf(at);
  // rmSync takes minutes for a million files.
  spawnSync('rm', ['-rf', scratch, ...(tree === undefined ? [] : [at])]);
  return { title, isCold, ...size, rows };
}

/** The same commands on trees of more and more files. */
async function measureGrowth() {
  for (const files of [1e4, 1e5, 1e6, 5e6].map((count) => count * scale).filter((count) => count <= Number(values.most) * scale)) {
    const title = `${files} files of 64 B in ${1000 * scale} directories`;
    const known = cases.find((each) => each.name === 'small' && each.files === files);
    const measured = known ?? (await measureCase(`growth${files}`, { title, tree: { files, bytes: 64, directories: 1000 * scale } }));
    growth.push({ files, rows: measured.rows });
    write();
  }
}

async function make(root, tree, title) {
  say(`making ${title}`);
  makeTree(root, tree);
  spawnSync('sync');
}

/** One run each to warm up and to see how much memory it takes; then rounds of our own, and then those with the peers. */
async function measure(title, own, { peers, peerRounds, scratch, isCold }) {
  const memory = new Map();
  for (const command of isCold ? [] : own) {
    say(`${title}: ${command.name}`);
    memory.set(command.name, await peakMemory(command));
  }
  const rows = ownRounds(title, own, { scratch, isCold });
  const others = roundsWithPeers(title, own, { peers, peerRounds, scratch });
  return [...own.map((command) => rowOf(command, rows, memory)), ...peers.map((command) => others.failed.get(command.name) ?? rowOf(command, others.samples, memory))];
}

function ownRounds(title, own, { scratch, isCold }) {
  const samples = new Map(own.map(({ name }) => [name, []]));
  const start = performance.now();
  for (let round = 1; round <= rounds; round += 1) {
    say(`${title}: round ${round}`);
    for (const command of own) {
      if (isCold) spawnSync('sh', ['-c', 'sync; echo 3 >/proc/sys/vm/drop_caches']);
      samples.get(command.name).push(timed(command, scratch));
    }
    if (((performance.now() - start) / 1000) * ((round + 1) / round) > budget) break;
  }
  return samples;
}

/** What they are compared with is timed once more beside them: they take minutes, and not all of the tree stays in memory. */
function roundsWithPeers(title, own, { peers, peerRounds, scratch }) {
  const commands = [...own.filter(({ name }) => peers.some(({ beside }) => beside === name)), ...peers];
  const samples = new Map(commands.map(({ name }) => [name, []]));
  const failed = new Map(peers.flatMap(({ name, cannot }) => (cannot === undefined ? [] : [[name, { name, cannot }]])));
  for (let round = 1; round <= peerRounds; round += 1) {
    say(`${title}: round ${round} with peers`);
    timed(own[0], scratch);
    for (const command of commands.filter(({ name }) => !failed.has(name))) {
      say(`${title}: ${command.name}`);
      try {
        samples.get(command.name).push(timed(command, scratch));
        command.after?.();
      } catch (error) {
        // Left out from then on, and the table says why.
        failed.set(command.name, { name: command.name, cannot: error.message.split('\n')[0] });
      }
    }
  }
  return { samples, failed };
}

function rowOf({ name, beside }, samples, memory) {
  const mine = samples.get(name);
  const theirs = beside === undefined ? undefined : samples.get(beside);
  const ratios = (key) => (theirs === undefined ? undefined : median(mine.map((sample, round) => sample[key] / theirs[round][key])));
  return {
    name,
    beside,
    rounds: mine.length,
    wall: median(mine.map(({ wall }) => wall)),
    spread: [Math.min(...mine.map(({ wall }) => wall)), Math.max(...mine.map(({ wall }) => wall))],
    cpu: median(mine.map(({ cpu }) => cpu)),
    rssMiB: Math.max(memory.get(name) ?? 0, ...mine.map(({ rssMiB }) => rssMiB)),
    ratio: ratios('wall'),
    cpuRatio: ratios('cpu'),
  };
}

function machine() {
  const { stdout } = spawnSync('sh', ['-c', `lscpu | sed -n 's/^Model name: *//p'; nproc; uname -r; free -g | awk '/Mem:/ { print $2 }'; cut -d' ' -f1 /proc/loadavg`], { encoding: 'utf8' });
  const [processor, cores, kernel, memoryGiB, load] = stdout.trim().split('\n');
  return { processor, cores, kernel, memoryGiB, load, node: process.version };
}
