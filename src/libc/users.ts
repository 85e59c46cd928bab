// User names: getpwnam_r(3), which asks every source that the system has (nsswitch.conf(5)).
import { cString, declare } from './native.ts';

const getpwnam = declare<(name: Buffer, passwd: Buffer, strings: Buffer, length: number, found: Buffer) => number>(
  'int getpwnam_r(const void *name, void *pwd, void *buf, size_t buflen, void *result)',
);

/** struct passwd of 64-bit Linux: 48 bytes, pw_uid at 16, after two pointers. */
const PASSWD_BYTES = 48;
const UID_AT = 16;
const GID_AT = 20;
const STRINGS_BYTES = 64 * 1024;

export interface User {
  readonly uid: number;
  /** The main group. */
  readonly gid: number;
}

/** The user id of a name; undefined when there is no such user, or no source could say. */
export function userIdOf(name: string): number | undefined {
  return userOf(name)?.uid;
}

/** A user by name; undefined as for `userIdOf`. */
export function userOf(name: string): User | undefined {
  const [passwd, found] = [Buffer.alloc(PASSWD_BYTES), Buffer.alloc(8)];
  const error = getpwnam(
    cString(Buffer.from(name).toString('latin1')),
    passwd,
    Buffer.alloc(STRINGS_BYTES),
    STRINGS_BYTES,
    found,
  );
  if (error !== 0 || found.readBigUInt64LE(0) === 0n) return undefined;
  return { uid: passwd.readUInt32LE(UID_AT), gid: passwd.readUInt32LE(GID_AT) };
}
