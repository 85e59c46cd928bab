// A program that guards a filesystem of the test, in a process of its own: whatever goes wrong, the test kills it, and the
// kernel lets everybody go. What it decides is in a file's name.
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import * as fanotify from '../../dist/fanotify/index.js';

const { root, mark = 'FAN_MARK_FILESYSTEM', mask = 'FAN_OPEN_PERM', options } = JSON.parse(process.argv[2]);
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const decide = async ({ fd, pid, path, mask, range }) => {
  const name = basename(String(path)).split('.')[0];
  const ranged = range && { offsetBytes: Number(range.offsetBytes), countBytes: Number(range.countBytes) };
  say({ kind: 'asked', name, pid, mask, range: ranged });
  switch (name.replace(/-.*/, '')) {
    case 'deny':
      return fanotify.FAN_DENY;
    case 'nospc':
      return fanotify.FAN_DENY_ERRNO('ENOSPC');
    case 'never':
      return new Promise(() => {});
    case 'held':
      return new Promise((resolve) => held.push(() => resolve(fanotify.FAN_DENY)));
    case 'throw':
      throw new Error('no idea');
    case 'odd':
      return 7;
    case 'moment':
      return { verdict: fanotify.FAN_ALLOW, cache: false };
    case 'rule':
      return { verdict: fanotify.FAN_DENY, auditRule: { ruleNumber: 42, subjectTrust: 2, objectTrust: 0 } };
    case 'content': {
      const bytes = Buffer.alloc(64);
      const length = readSync(fd, bytes, 0, bytes.length, 0);
      return bytes.toString('utf8', 0, length).includes('bad') ? fanotify.FAN_DENY : fanotify.FAN_ALLOW;
    }
    default:
      return fanotify.FAN_ALLOW;
  }
};

const held = [];
const marks = [{ flags: fanotify[mark], mask: fanotify.maskFromString(mask), path: fanotify.pathFromText(root) }];
const onProblem = ({ kind, error }) => say({ kind: 'problem', problem: kind, message: error.message });
const responder = await fanotify.PermissionResponder.open({ marks, decide, onProblem, ...options }).catch((error) => {
  say({ kind: 'error', code: error.code, syscall: error.syscall, message: error.message });
  process.exit(1);
});
say({ kind: 'ready', pid: process.pid });

const commands = {
  counts: () => responder.counts(),
  forget: () => responder.forget(),
  release: () => held.splice(0).forEach((resolve) => resolve()),
  // The main thread waits for its own open, and cannot take a message meanwhile.
  open: (path) => closeSync(openSync(path, 'r')),
  run: (path) => execFileSync('cat', [path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  spin: (ms) => {
    const end = Date.now() + Number(ms);
    while (Date.now() < end);
  },
  crash: () => setImmediate(() => { throw new Error('crashed as told'); }),
  break: () => closeSync(groupFd()),
  exit: () => process.exit(0),
  close: () => responder.close(),
};

/** The group's descriptor, taken from under the responder. */
function groupFd() {
  return readdirSync('/proc/self/fd').map(Number).find((fd) => isGroup(fd));
}

function isGroup(fd) {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[fanotify]';
  } catch {
    return false;
  }
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const [command, argument] = line.split(' ');
  say({ kind: 'begun', command });
  try {
    say({ kind: 'done', command, result: (await commands[command](argument)) ?? null });
  } catch (error) {
    say({ kind: 'done', command, error: String(error.code ?? error.status ?? error) });
  }
  if (command === 'close') process.stdin.destroy();
});
