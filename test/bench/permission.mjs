// What a permission responder costs who opens a file: no guard, a kept verdict, an asked one. As root, after a build:
// node test/bench/permission.mjs [OPENS]. Guards a tmpfs of its own, in a child process with a watchdog.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import * as fanotify from '../../dist/fanotify/index.js';

const [first = '5000', root] = process.argv.slice(2);
if (first === 'guard') await guard();
else await measure(Number(first));

async function guard() {
  const responder = await fanotify.PermissionResponder.open({
    marks: [{ flags: fanotify.FAN_MARK_FILESYSTEM, mask: fanotify.FAN_OPEN_PERM, path: fanotify.pathFromText(root) }],
    decide: () => fanotify.FAN_ALLOW,
    deadlineMs: 5_000,
    onDeadline: 'deny',
    failure: 'closed',
  });
  process.stdout.write('ready\n');
  process.stdin.once('data', async () => {
    process.stdout.write(`${JSON.stringify(responder.counts())}\n`);
    await responder.close();
    process.exit(0);
  });
}

async function measure(opens) {
  const dir = mkdtempSync(join(tmpdir(), 'driftline-bench-'));
  execFileSync('mount', ['-t', 'tmpfs', 'driftline-bench', dir]);
  try {
    const files = Array.from({ length: opens }, (_, index) => join(dir, `f${index}`));
    for (const file of files) writeFileSync(file, 'content');
    report('no guard', latencies(files));
    const child = spawn('timeout', ['-s', 'KILL', '120', process.execPath, import.meta.filename, 'guard', dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    report('asked', latencies(files));
    report('kept', latencies(files));
    child.stdin.write('end\n');
    process.stdout.write(`${(await lines.next()).value}\n`);
    await new Promise((resolve) => child.on('exit', resolve));
  } finally {
    execFileSync('umount', [dir]);
    rmdirSync(dir);
  }
}

/** Of each open and close, in us. */
function latencies(files) {
  return files.map((file) => {
    const began = process.hrtime.bigint();
    closeSync(openSync(file, 'r'));
    return Number(process.hrtime.bigint() - began) / 1e3;
  });
}

function report(what, us) {
  const sorted = us.sort((a, b) => a - b);
  const at = (part) => sorted[Math.floor(sorted.length * part)].toFixed(0);
  process.stdout.write(`${what.padEnd(9)} p50 ${at(0.5)} us, p99 ${at(0.99)} us\n`);
}
