// Every digest of a baseline against b3sum, file by file: `npm run bench -- digests [TREE]`, /usr by default.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openHasher } from '../../dist/disk/digest.js';
import { readRecord, recordOffsets } from '../../dist/domain/packed.js';
import { openStore } from '../../dist/sqlite/store.js';

const [tree = '/usr'] = process.argv.slice(2);
const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const scratch = mkdtempSync(join(tmpdir(), 'driftline-bench-'));
try {
  const path = join(scratch, 'state/b.db');
  run(process.execPath, [main, '--baseline', path, 'init', tree]);
  const ours = digestsOf(path);
  const theirs = sums();
  const wrong = [...theirs].filter(([name, sum]) => ours.get(name) !== sum);
  const extra = [...ours.keys()].filter((name) => !theirs.has(name));
  console.log(`${tree}: ${theirs.size} files by b3sum, ${ours.size} digests in the baseline, ${wrong.length} differ, ${extra.length} b3sum does not have`);
  for (const name of [...wrong.map(([each]) => each), ...extra].slice(0, 20)) console.log(`  ${JSON.stringify(name)}`);
  process.exitCode = wrong.length + extra.length === 0 && theirs.size > 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Path (one character per byte) to BLAKE3 in hexadecimal. Files of 4 GiB and more have a digest of another kind and are left out. */
function digestsOf(path) {
  const digests = new Map();
  const store = openStore({ path, mode: 'read', hash: openHasher() });
  for (const { dir, run: records } of store.baseline.below('/')) {
    for (const at of recordOffsets(records)) {
      const { path: name, digest } = readRecord(records, at, dir);
      if (digest?.algorithm === 'blake3') digests.set(name, Buffer.from(digest.value).toString('hex'));
    }
  }
  store.close();
  return digests;
}

function sums() {
  const line = `find "$1" -type f -size -4194304k -print0 | xargs -0 -P1 b3sum --no-names --`;
  const names = run('sh', ['-c', `find "$1" -type f -size -4194304k -print0`, 'sh', tree]).split('\0').slice(0, -1);
  const values = run('sh', ['-c', line, 'sh', tree]).trimEnd().split('\n');
  if (names.length !== values.length) throw new Error(`${names.length} names, ${values.length} sums: the tree changes, or has files that cannot be read`);
  return new Map(names.map((name, index) => [name, values[index]]));
}

function run(file, args) {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'latin1', maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`${file}: exit ${status}: ${stderr}`);
  return stdout;
}
