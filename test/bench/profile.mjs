// The functions that a check, or an init, spends its time in, of all threads together:
// `npm run bench -- profile [init] [TREE [OPTIONS]]`, /usr by default.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HOTTEST = 10;
const IDLE = '(idle)\n';
const ROOT = resolve(import.meta.dirname, '../..');
const given = process.argv.slice(2);
const command = given[0] === 'init' ? given.shift() : 'check';
const [tree = '/usr', ...options] = given;
const main = join(ROOT, 'dist/cli/main.js');
const scratch = mkdtempSync(join(tmpdir(), 'driftline-bench-'));
try {
  const baseline = ['--baseline', join(scratch, 'state/b.db')];
  const line = command === 'init' ? ['init', '--force', tree, ...options] : ['check', ...options];
  run([main, ...baseline, 'init', tree]);
  run([main, ...baseline, ...line]);
  const hooks = pathToFileURL(join(import.meta.dirname, 'profile-workers.mjs')).href;
  run(['--cpu-prof', `--cpu-prof-dir=${scratch}/profiles`, '--import', hooks, main, ...baseline, ...line]);
  const { files, totalMs, hottest } = read(join(scratch, 'profiles'));
  console.log(`${command} ${options.join(' ')} of ${tree}: ${files} threads, ${(totalMs / 1000).toFixed(2)} s that were not idle (sampled)\n`);
  console.log('| function | where | self s | share |\n|---|---|---:|---:|');
  for (const [key, ms] of hottest) {
    const [name, where] = key.split('\n');
    console.log(`| ${name} | ${where} | ${(ms / 1000).toFixed(2)} | ${((100 * ms) / totalMs).toFixed(1)} % |`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Sums self times over all profiles; system calls and digests count as the function that asks for them. */
function read(dir) {
  const self = new Map();
  const names = readdirSync(dir).filter((name) => name.endsWith('.cpuprofile'));
  for (const name of names) {
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(dir, name), 'utf8'));
    const keys = new Map(nodes.map(({ id, callFrame }) => [id, keyOf(callFrame)]));
    samples.forEach((id, index) => {
      const key = keys.get(id);
      self.set(key, (self.get(key) ?? 0) + timeDeltas[index] / 1000);
    });
  }
  self.delete(IDLE);
  const totalMs = [...self.values()].reduce((sum, ms) => sum + ms, 0);
  return { files: names.length, totalMs, hottest: [...self].sort(([, a], [, b]) => b - a).slice(0, HOTTEST) };
}

function keyOf({ functionName, url, lineNumber }) {
  const where = url.startsWith('file:') ? `${relative(ROOT, fileURLToPath(url))}:${lineNumber + 1}` : url;
  return `${functionName || '(anonymous)'}\n${where}`;
}

function run(args) {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (status === null || status >= 64) throw new Error(`exit ${status}: ${stderr}`);
}
