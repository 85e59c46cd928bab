// Times whole commands side by side, interleaved, warm cache, and prints medians and ratios as a Markdown table.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [tree, roundsText] = process.argv.slice(2);
const rounds = Number(roundsText);
const scratch = mkdtempSync(join(tmpdir(), 'driftline-bench-'));
const at = (name) => join(scratch, name);
const main = resolve(import.meta.dirname, '../../dist/cli/main.js');

writeFileSync(
  at('aide.conf'),
  `database_in=file:${at('aide.db')}
database_out=file:${at('aide.db.new')}
gzip_dbout=no
num_workers=2
report_url=file:${at('aide.report')}
${tree} ftype+p+u+g+s+m+n+i+sha256
`,
);

const COMMANDS = [
  ['b3sum', `find '${tree}' -xdev -type f -print0 | xargs -0 -P2 b3sum --no-mmap`, [0]],
  ['b3sum (mmap)', `find '${tree}' -xdev -type f -print0 | xargs -0 -P2 b3sum`, [0]],
  ['driftline init', `'${process.execPath}' '${main}' init --force --baseline '${at('state/b.db')}' '${tree}'`, [0]],
  ['driftline check', `'${process.execPath}' '${main}' check --baseline '${at('state/b.db')}'`, [0]],
  ['driftline check --quick', `'${process.execPath}' '${main}' check --quick --baseline '${at('state/b.db')}'`, [0]],
  ['find -printf', `find '${tree}' -xdev -printf '%p %s %C@ %m\\n'`, [0]],
];
const AIDE = [
  ['aide --init', `aide --config='${at('aide.conf')}' --init`, [0]],
  ['aide --check', `aide --config='${at('aide.conf')}' --check`, [0]],
];

function run([name, line, expected]) {
  const usage = at('usage');
  const result = spawnSync('/usr/bin/time', ['-q', '-o', usage, '-f', '%e %U %S %M', 'sh', '-c', `${line} >/dev/null`], {
    encoding: 'utf8',
  });
  if (!expected.includes(result.status)) throw new Error(`${name}: exit ${result.status}: ${result.stderr}`);
  const [wall, user, system, kib] = readFileSync(usage, 'utf8').trim().split(/\s+/).map(Number);
  return { name, wall, cpu: user + system, rss: kib / 1024 };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function measureTree() {
  const { stdout } = spawnSync('find', [tree, '-xdev', '-type', 'f', '-printf', '%s\\n'], { encoding: 'utf8', maxBuffer: 1 << 30 });
  const sizes = stdout.trim().split('\n').map(Number);
  return { files: sizes.length, megabytes: sizes.reduce((sum, size) => sum + size, 0) / 1e6 };
}

try {
  const { files, megabytes } = measureTree();
  run(COMMANDS[0]);
  const samples = [];
  for (let round = 0; round < rounds; round += 1) for (const command of COMMANDS) samples.push(run(command));
  samples.push(run(AIDE[0]));
  renameSync(at('aide.db.new'), at('aide.db'));
  samples.push(run(AIDE[1]));

  const names = [...COMMANDS, ...AIDE].map(([name]) => name);
  const rows = names.map((name) => {
    const mine = samples.filter((sample) => sample.name === name);
    const of = (key) => median(mine.map((sample) => sample[key]));
    return { name, rounds: mine.length, wall: of('wall'), cpu: of('cpu'), rss: of('rss') };
  });
  const wallOf = (name) => rows.find((row) => row.name === name).wall;
  console.log(`${tree}: ${files} files, ${megabytes.toFixed(0)} MB, warm cache; medians of ${rounds} interleaved rounds (aide: one)\n`);
  console.log('| command | wall s | cpu s | files/s | MB/s | peak RSS MiB | x b3sum | aide / this |');
  console.log('|---|---:|---:|---:|---:|---:|---:|---:|');
  for (const { name, wall, cpu, rss } of rows) {
    const aide = wallOf(name.includes('check') ? 'aide --check' : 'aide --init');
    const cells = [wall.toFixed(2), cpu.toFixed(2), (files / wall).toFixed(0), (megabytes / wall).toFixed(0), rss.toFixed(0), (wall / wallOf('b3sum (mmap)')).toFixed(2), (aide / wall).toFixed(1)];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
