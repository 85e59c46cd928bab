// What has to be right before a program of a hook is begun: its pinned digests, its secrets, its user.
import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { errorCode, errorMessage } from '../domain/errors.ts';
import type { HookSettings } from '../domain/settings.ts';
import { type User, userOf } from '../libc/users.ts';
import { findProgram } from './program.ts';

export type Fence =
  | {
      /** Before the program's own words. */
      readonly prefix: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
    }
  | { readonly problem: string; readonly alert?: 'digest' };

/** What is wrong before a run. `key`: of the hook's configuration. */
export interface FenceProblem {
  readonly key: readonly string[];
  readonly message: string;
  readonly alert?: 'digest';
}

/** `digestOf` gives the hexadecimal BLAKE3 digest. */
export function fenceOf(hook: HookSettings, digestOf: (bytes: Uint8Array) => string): Fence {
  const runAs = runAsOf(hook);
  const [first] = problemsOf(hook, runAs, digestOf);
  if (first !== undefined) return { problem: first.message, ...(first.alert && { alert: first.alert }) };
  const credentials = Object.entries(hook.credentials).map(([name, file]) => [`DRIFTLINE_CREDENTIAL_${name}`, file]);
  return { prefix: runAs.prefix, environment: Object.fromEntries(credentials) };
}

/** Empty when it may be run. */
export function fenceProblems(hook: HookSettings, digestOf: (bytes: Uint8Array) => string): readonly FenceProblem[] {
  return problemsOf(hook, runAsOf(hook), digestOf);
}

interface RunAs {
  /** Who runs it, when that is said. */
  readonly user: User | undefined;
  readonly prefix: readonly string[];
  readonly problem: string | undefined;
}

const AS_OURSELVES: RunAs = { user: undefined, prefix: [], problem: undefined };

/** setpriv(1) takes all groups of the user, which spawn(3) of Node would drop, and comes after the cgroup was entered. */
function runAsOf({ user: name }: HookSettings): RunAs {
  if (name === undefined) return AS_OURSELVES;
  const user = userOf(name);
  if (user === undefined) return { ...AS_OURSELVES, problem: `there is no user ${name}` };
  if (user.uid === process.geteuid?.()) return { ...AS_OURSELVES, user };
  const found = findProgram('setpriv');
  if ('problem' in found) return { ...AS_OURSELVES, user, problem: `it cannot be run as ${name}: ${found.problem}` };
  const { uid, gid } = user;
  const prefix = [found.path, `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--inh-caps=-all', '--'];
  return { user, prefix, problem: undefined };
}

function problemsOf(
  hook: HookSettings,
  { user, problem }: RunAs,
  digestOf: (bytes: Uint8Array) => string,
): readonly FenceProblem[] {
  return [
    ...digestProblems(hook, digestOf),
    ...(problem === undefined ? [] : [{ key: ['user'], message: problem }]),
    ...credentialProblems(hook, user),
  ];
}

function digestProblems(hook: HookSettings, digestOf: (bytes: Uint8Array) => string): FenceProblem[] {
  return Object.entries(hook.digests).flatMap(([file, wanted]): FenceProblem[] => {
    const found = file === '' ? findProgram(hook.run[0] ?? '') : { path: file };
    const message = 'problem' in found ? found.problem : digestProblem(found.path, wanted, digestOf);
    const key = file === '' ? ['digest'] : ['digest', file];
    return message === undefined ? [] : [{ key, message, alert: 'digest' }];
  });
}

function digestProblem(file: string, wanted: string, digestOf: (bytes: Uint8Array) => string): string | undefined {
  try {
    const found = digestOf(readFileSync(file));
    return found === wanted ? undefined : `${file}: its digest is ${found}, not the one that was pinned`;
  } catch (error) {
    return `${file}: its digest cannot be known: ${errorMessage(error)}`;
  }
}

function credentialProblems({ credentials }: HookSettings, user: User | undefined): FenceProblem[] {
  return Object.entries(credentials).flatMap(([name, file]): FenceProblem[] => {
    const problem = credentialProblem(file, user);
    const key = ['credentials', name];
    return problem === undefined ? [] : [{ key, message: `credential ${name}: ${file}: ${problem}` }];
  });
}

/** A secret belongs to root, to who runs driftline or to who runs the hook, and nobody else may read it. */
function credentialProblem(file: string, user: User | undefined): string | undefined {
  let stats: Stats;
  try {
    stats = lstatSync(file);
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? 'not found' : (errorCode(error) ?? errorMessage(error));
  }
  if (!stats.isFile()) return 'not a regular file';
  if (![0, process.geteuid?.(), user?.uid].includes(stats.uid)) return `belongs to user ${stats.uid}`;
  // Nobody but the owner, or the group of who runs the hook.
  const open = stats.gid === user?.gid ? 0o027 : 0o077;
  if ((stats.mode & open) !== 0) return 'others may read or write it';
  if (user === undefined || user.uid === 0) return undefined;
  const mine = stats.uid === user.uid ? 0o400 : stats.gid === user.gid ? 0o040 : 0;
  return (stats.mode & mine) === 0 ? `user ${user.uid}, who runs the hook, cannot read it` : undefined;
}
