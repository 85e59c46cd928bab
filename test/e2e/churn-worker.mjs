// One process of the churn: random changes below a directory, the same for the same seed. node churn-worker.mjs SEED DIR MS
import * as fs from 'node:fs';
import { join } from 'node:path';
import { randomOf } from '../rigs/random.mjs';

const [seed, root, ms] = [Number(process.argv[2]), String(process.argv[3]), Number(process.argv[4])];

const random = randomOf(seed);

/** Few names, so that processes meet: d0/../d3/f7. */
function directory() {
  let path = root;
  for (let depth = random(4); depth > 0; depth -= 1) path = join(path, `d${random(6)}`);
  return path;
}
const file = () => join(directory(), `f${random(40)}`);
const anything = () => (random(8) === 0 ? join(directory(), `d${random(6)}`) : file());

const ACTIONS = [
  () => fs.writeFileSync(file(), 'x'.repeat(random(5000))),
  () => fs.writeFileSync(file(), `${random(1e9)}`),
  () => fs.appendFileSync(file(), 'more'),
  () => fs.truncateSync(file(), random(100)),
  () => fs.unlinkSync(file()),
  () => fs.renameSync(anything(), anything()),
  () => fs.renameSync(anything(), anything()),
  () => fs.mkdirSync(join(directory(), `d${random(6)}`), { recursive: true }),
  () => random(4) === 0 && fs.rmSync(join(directory(), `d${random(6)}`), { recursive: true }),
  () => fs.chmodSync(anything(), [0o600, 0o644, 0o755, 0o700][random(4)]),
  () => fs.symlinkSync(`f${random(40)}`, file()),
  () => fs.linkSync(file(), file()),
  () => fs.utimesSync(file(), random(1e9), random(1e9)),
  () => {
    const target = file();
    fs.writeFileSync(`${target}.tmp`, `${random(1e9)}`);
    fs.renameSync(`${target}.tmp`, target);
  },
];

/** What does not exist, exists already or is of another type: another process was there first. */
const EXPECTED = new Set(['ENOENT', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EINVAL', 'ELOOP', 'EPERM', 'ERR_FS_EISDIR']);

const end = Date.now() + ms;
let done = 0;
while (Date.now() < end) {
  // A burst, then a pause: the batches must be cut everywhere.
  for (let burst = random(60); burst > 0; burst -= 1) {
    try {
      ACTIONS[random(ACTIONS.length)]();
      done += 1;
    } catch (error) {
      if (!EXPECTED.has(error.code)) throw error;
    }
  }
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, random(40));
}
console.log(done);
