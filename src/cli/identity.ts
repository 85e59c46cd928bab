// Identifiers, and who is asking.
import { randomFillSync } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import type { Actor } from '../domain/actor.ts';
import { ulid } from '../domain/ulid.ts';

const ID_BYTES = 10;
const pool = Buffer.alloc(4000);
let used = pool.length;

export function newId(timeMs: number): string {
  // A call into the kernel for each of many thousands costs more than all the rest of an identifier.
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return ulid(timeMs, pool.subarray(used - ID_BYTES, used));
}

const NO_LOGIN = 4294967295;

/** The person at this command line, for the record of what was accepted. */
export function currentActor(): Actor {
  const loginUid = Number(readFileSync('/proc/self/loginuid', 'utf8'));
  return {
    source: 'proc',
    pid: process.pid,
    exe: readlinkSync('/proc/self/exe'),
    cmdline: process.argv.slice(1),
    uid: process.getuid?.() ?? 0,
    ...(loginUid === NO_LOGIN ? {} : { loginUid }),
  };
}
