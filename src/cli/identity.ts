// Identifiers, and who is asking.
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import type { Actor } from '../domain/actor.ts';
import { ulid } from '../domain/ulid.ts';

export function newId(timeMs: number): string {
  return ulid(timeMs, randomBytes(10));
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
