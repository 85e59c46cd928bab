// What /proc knows of a process: proc(5), cgroups(7).
import { escapePath } from '../../domain/escape.ts';
import { isCleanUtf8, pathFromLatin1, pathToText } from '../../domain/path.ts';
import { readLink, readStart } from '../../libc/read.ts';

/** The program that a process runs; what changes, or is gone, soonest. */
export interface Image {
  /** Latin1; undefined for a kernel thread or a process that has ended but was not waited for. */
  readonly exe: string | undefined;
  readonly cmdline: readonly string[] | undefined;
}

/** Whose process it is. */
export interface Owner {
  /** Ticks since boot; together with the pid it names the process for good. Undefined when not asked for. */
  readonly startTime: string | undefined;
  readonly uid: number | undefined;
  readonly loginUid: number | undefined;
  readonly unit: string | undefined;
  readonly ppids: readonly number[];
  /** The name of its main thread, latin1, at most 15 bytes. */
  readonly comm?: string | undefined;
  /** Path in the cgroup hierarchy, latin1. */
  readonly cgroup?: string | undefined;
}

/** A command line is kept up to here: it may be 2 MiB long. */
const CMDLINE_BYTES = 4096;
const buffer = Buffer.alloc(CMDLINE_BYTES);
const PARENTS_MAX = 64;
const DELETED = ' (deleted)';

/** The parents of a process, nearest first, if they are known without asking /proc. */
export type ParentsOf = (pid: number) => readonly number[] | undefined;

/** Costs two short reads, so that it can be asked at once. */
export function readImage(pid: number): Image {
  const cmdline = readStart(`/proc/${pid}/cmdline`, buffer);
  const exe = readLink(`/proc/${pid}/exe`, buffer);
  return {
    exe: exe?.endsWith(DELETED) ? exe.slice(0, -DELETED.length) : exe,
    cmdline: cmdline === undefined || cmdline === '' ? undefined : parseCmdline(cmdline),
  };
}

/** Latin1; a removed directory with ` (deleted)`, as the kernel says it. */
export function readCwd(pid: number): string | undefined {
  return readLink(`/proc/${pid}/cwd`, buffer);
}

/** Returns undefined when the process is gone. */
export function readOwner(pid: number, parentsOf: ParentsOf): Owner | undefined {
  const stat = parseStat(readStart(`/proc/${pid}/stat`, buffer));
  const uid = parseField(readStart(`/proc/${pid}/status`, buffer), 'Uid');
  // It may go between the two: half of a process is worth less than what was known of the whole.
  if (stat === undefined || uid === undefined) return undefined;
  const cgroup = readStart(`/proc/${pid}/cgroup`, buffer);
  return {
    startTime: stat.startTime,
    uid,
    loginUid: parseLoginUid(readStart(`/proc/${pid}/loginuid`, buffer)),
    unit: parseUnit(cgroup),
    ppids: lineage(stat.ppid, parentsOf),
    comm: stat.comm,
    cgroup: parseCgroup(cgroup),
  };
}

/** User, parents, cgroup and start, what goes soonest first, while an exec is under way; undefined when the process is gone. */
export function readBriefly(pid: number, parentsOf: ParentsOf): Owner | undefined {
  const status = readStart(`/proc/${pid}/status`, buffer);
  const ppid = parseField(status, 'PPid');
  if (ppid === undefined) return undefined;
  const ppids = lineage(ppid, parentsOf);
  const cgroup = parseCgroup(readStart(`/proc/${pid}/cgroup`, buffer));
  const startTime = parseStat(readStart(`/proc/${pid}/stat`, buffer))?.startTime;
  return { startTime, uid: parseField(status, 'Uid'), loginUid: undefined, unit: undefined, ppids, cgroup };
}

function lineage(ppid: number, parentsOf: ParentsOf): number[] {
  const ppids: number[] = [];
  for (let at = ppid; at > 0 && ppids.length < PARENTS_MAX; ) {
    ppids.push(at);
    const further = parentsOf(at);
    if (further !== undefined) return [...ppids, ...further];
    at = parseStat(readStart(`/proc/${at}/stat`, buffer))?.ppid ?? 0;
  }
  return ppids;
}

/** proc_pid_stat(5): the name stands in parentheses and may hold any byte, these included; field 4 is ppid, 22 starttime. */
export function parseStat(stat: string | undefined): Stat | undefined {
  if (stat === undefined) return undefined;
  const comm = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [ppid, startTime] = [Number(fields[1]), fields[19]];
  return startTime === undefined || !Number.isInteger(ppid) ? undefined : { comm, ppid, startTime };
}

interface Stat {
  readonly comm: string;
  readonly ppid: number;
  readonly startTime: string;
}

/** Arguments as text; bytes that are not UTF-8 are escaped. */
export function parseCmdline(cmdline: string): string[] {
  return cmdline.replace(/\0$/, '').split('\0').map(textOf);
}

export function textOf(latin1: string): string {
  const path = pathFromLatin1(latin1);
  return isCleanUtf8(path) ? pathToText(path) : escapePath(path);
}

/** proc_pid_status(5): the first number of a line; of `Uid` that is the real user id. */
export function parseField(status: string | undefined, field: 'Uid' | 'PPid'): number | undefined {
  const at = status?.indexOf(`\n${field}:`) ?? -1;
  const value = at === -1 ? Number.NaN : Number.parseInt(status?.slice(at + field.length + 2, at + 32) ?? '', 10);
  return Number.isNaN(value) ? undefined : value;
}

/** (uid_t)-1 means that nobody logged in. */
const NO_LOGIN_UID = 4294967295;

export function parseLoginUid(text: string | undefined): number | undefined {
  const loginUid = Number.parseInt(text ?? '', 10);
  return Number.isNaN(loginUid) || loginUid === NO_LOGIN_UID ? undefined : loginUid;
}

/** The innermost systemd unit of the unified hierarchy, or of v1's `name=systemd`. */
export function parseUnit(cgroup: string | undefined): string | undefined {
  for (const line of (cgroup ?? '').split('\n')) {
    const match = /^\d+:(?:name=systemd)?:(.*)$/.exec(line);
    const unit = match?.[1]?.split('/').findLast((segment) => /\.(?:service|scope)$/.test(segment));
    if (unit !== undefined) return textOf(unit);
  }
  return undefined;
}

/** The path in the unified hierarchy, or in v1's `name=systemd`. */
export function parseCgroup(cgroup: string | undefined): string | undefined {
  const paths = (cgroup ?? '').split('\n').map((line) => /^\d+:(?:name=systemd)?:(.*)$/.exec(line)?.[1]);
  // Where both exist (systemd's hybrid mode), processes are sorted in the v1 hierarchy too; the unified one comes last.
  return paths.findLast((path) => path !== undefined && path !== '/') ?? paths.findLast((path) => path !== undefined);
}

/** `docker-ID.scope`, `libpod-ID.scope`, `cri-containerd-ID.scope`, `/docker/ID`, `/kubepods/.../ID`. */
export function parseContainer(cgroup: string | undefined): string | undefined {
  const segments = cgroup?.split('/') ?? [];
  return segments.flatMap((segment) => /(?:^|-)([0-9a-f]{64})(?:\.scope)?$/.exec(segment)?.[1] ?? []).at(-1);
}
