// Which events a client gets: AND between the fields of a rule, OR within each.
import { AppError } from '../../domain/errors.ts';
import type { BytePath } from '../../domain/path.ts';
import { compileWildcard, type Wildcard } from './pattern.ts';

/** Wildcards as fnmatch(3) with FNM_EXTMATCH: `*` and `?` match `/` too. Text, or bytes for names that are not UTF-8. */
export type RulePattern = string | Uint8Array | readonly (string | Uint8Array)[];

/** At least one field besides `name` and `passFd`. What is not known of an event (a program, a path) matches no pattern. */
export interface FanoRule {
  /** A label for messages; several rules may have the same. */
  readonly name?: string;
  readonly pids?: Iterable<number>;
  /** FAN_* bits; an event passes with any of them. */
  readonly evTypes?: number;
  /** The program's path, also when the process has ended. */
  readonly exePattern?: RulePattern;
  readonly cwdPattern?: RulePattern;
  /** Any path of the object: of a rename the old or the new one, of a filesystem mounted twice one below either. */
  readonly pathPattern?: RulePattern;
  /** Real user ids. */
  readonly uids?: Iterable<number>;
  /** The name of the process, at most 15 bytes. */
  readonly comm?: RulePattern;
  /** The path of its cgroup, as in /proc/PID/cgroup. */
  readonly cgroup?: RulePattern;
  /** Hand over the descriptor of events that have one (a group without file ids). Default false. */
  readonly passFd?: boolean;
}

/** A rule as it crosses threads and sockets; patterns have one character per byte. */
export interface PlainRule {
  readonly name: string;
  readonly passFd: boolean;
  readonly evTypes: number;
  readonly pids: readonly number[];
  readonly uids: readonly number[];
  readonly exe: readonly string[];
  readonly cwd: readonly string[];
  readonly path: readonly string[];
  readonly comm: readonly string[];
  readonly cgroup: readonly string[];
}

/** Throws AppError USAGE: no field, a pattern that cannot be used, numbers that are none. */
export function plainRule(rule: FanoRule): PlainRule {
  const plain: PlainRule = {
    name: rule.name ?? '',
    passFd: rule.passFd ?? false,
    evTypes: rule.evTypes ?? 0,
    pids: [...(rule.pids ?? [])],
    uids: [...(rule.uids ?? [])],
    exe: plainPatterns(rule.exePattern),
    cwd: plainPatterns(rule.cwdPattern),
    path: plainPatterns(rule.pathPattern),
    comm: plainPatterns(rule.comm),
    cgroup: plainPatterns(rule.cgroup),
  };
  return parseRule(plain);
}

function plainPatterns(pattern: RulePattern | undefined): string[] {
  if (pattern === undefined) return [];
  const patterns: readonly (string | Uint8Array)[] =
    typeof pattern === 'string' || pattern instanceof Uint8Array ? [pattern] : pattern;
  return patterns.map((each) => Buffer.from(each as Uint8Array).toString('latin1'));
}

const LIST_MAX = 1024;
const NUMBER_LISTS = ['pids', 'uids'] as const;
const PATTERN_LISTS = ['exe', 'cwd', 'path', 'comm', 'cgroup'] as const;
const KEYS: readonly string[] = ['name', 'passFd', 'evTypes', ...NUMBER_LISTS, ...PATTERN_LISTS];

/** Takes a rule from anybody. Throws AppError USAGE that says what is wrong with it. */
export function parseRule(value: unknown): PlainRule {
  if (typeof value !== 'object' || value === null) throw wrong('a rule is an object');
  const rule = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(rule))
    if (!KEYS.includes(key)) throw wrong(`a rule has no field ${JSON.stringify(key)}`);
  const { name, passFd, evTypes } = rule;
  if (typeof name !== 'string' || name.length > LIST_MAX) throw wrong('the name of a rule is a short text');
  if (typeof passFd !== 'boolean') throw wrong('passFd is true or false');
  if (!isCount(evTypes)) throw wrong('evTypes is a mask of FAN_* bits');
  const [pids = [], uids = []] = NUMBER_LISTS.map((key) => listOf(rule[key], isCount, `${key} are whole numbers`));
  const [exe = [], cwd = [], path = [], comm = [], cgroup = []] = PATTERN_LISTS.map((key) =>
    listOf(rule[key], isPattern, `the patterns of ${key} are bytes`),
  );
  const parsed: PlainRule = { name, passFd, evTypes, pids, uids, exe, cwd, path, comm, cgroup };
  if (evTypes === 0 && [pids, uids, exe, cwd, path, comm, cgroup].every((list) => list.length === 0)) {
    throw wrong('the rule says nothing: give it pids, uids, evTypes or a pattern');
  }
  for (const pattern of [exe, cwd, path, comm, cgroup].flat()) compileWildcard(pattern);
  return parsed;
}

function wrong(message: string): AppError {
  return new AppError('USAGE', message);
}

function listOf<T>(value: unknown, is: (item: unknown) => item is T, message: string): readonly T[] {
  if (Array.isArray(value) && value.length <= LIST_MAX && value.every(is)) return value;
  throw wrong(`${message}, ${LIST_MAX} at most`);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isPattern(value: unknown): value is string {
  return typeof value === 'string' && !/[^\0-\xff]/.test(value);
}

/** What a rule looks at. */
export interface Candidate {
  readonly pid: number;
  readonly evTypes: number;
  readonly exe: string | undefined;
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly comm: string | undefined;
  readonly cgroup: string | undefined;
  /** Present and former paths, below every mount. */
  readonly paths: readonly BytePath[];
}

export function compileRule(rule: PlainRule): (candidate: Candidate) => boolean {
  const [pids, uids] = [new Set(rule.pids), new Set(rule.uids)];
  const patterns = PATTERN_LISTS.map((key) => ({ key, tests: rule[key].map(compileWildcard) })).filter(
    ({ tests }) => tests.length > 0,
  );
  return (candidate) => {
    if (rule.evTypes !== 0 && !sharesBit(rule.evTypes, candidate.evTypes)) return false;
    if (pids.size > 0 && !pids.has(candidate.pid)) return false;
    if (uids.size > 0 && (candidate.uid === undefined || !uids.has(candidate.uid))) return false;
    return patterns.every(({ key, tests }) => {
      if (key === 'path') return candidate.paths.some((path) => passes(tests, path));
      return passes(tests, candidate[key]);
    });
  };
}

/** All bits are below 2^32 so far (fanotify(7)); `&` works on those. */
function sharesBit(one: number, other: number): boolean {
  return (one & other) !== 0;
}

function passes(tests: readonly Wildcard[], text: string | undefined): boolean {
  return text !== undefined && tests.some((test) => test(text));
}
