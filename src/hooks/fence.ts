// What has to be right before a program of a hook is begun: its pinned digests, its secrets, its user.
import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { errorCode, errorMessage } from '../domain/errors.ts';
import type { HookSettings } from '../domain/settings.ts';
import { type User, userOf } from '../libc/users.ts';
import { findProgram, HOOK_PATH } from './program.ts';

export type Fence =
  | {
      /** Before the program's own words. */
      readonly prefix: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
    }
  | { readonly problem: string; readonly alert?: 'digest' };

/** `digestOf` gives the hexadecimal BLAKE3 digest. */
export function fenceOf(hook: HookSettings, digestOf: (bytes: Uint8Array) => string): Fence {
  for (const [file, wanted] of Object.entries(hook.digests)) {
    const found = file === '' ? findProgram(hook.run[0] ?? '') : { path: file };
    const problem = 'problem' in found ? found.problem : digestProblem(found.path, wanted, digestOf);
    if (problem !== undefined) return { problem, alert: 'digest' };
  }
  const user = hook.user === undefined ? undefined : userOf(hook.user);
  if (hook.user !== undefined && user === undefined) return { problem: `there is no user ${hook.user}` };
  for (const [name, file] of Object.entries(hook.credentials)) {
    const problem = credentialProblem(file, user);
    if (problem !== undefined) return { problem: `credential ${name}: ${file}: ${problem}` };
  }
  const credentials = Object.entries(hook.credentials).map(([name, file]) => [`DRIFTLINE_CREDENTIAL_${name}`, file]);
  const prefix = user === undefined ? [] : prefixFor(hook.user ?? '', user);
  if (!Array.isArray(prefix)) return prefix;
  return { prefix, environment: Object.fromEntries(credentials) };
}

function digestProblem(file: string, wanted: string, digestOf: (bytes: Uint8Array) => string): string | undefined {
  try {
    const found = digestOf(readFileSync(file));
    return found === wanted ? undefined : `${file}: its digest is ${found}, not the one that was pinned`;
  } catch (error) {
    return `${file}: its digest cannot be known: ${errorMessage(error)}`;
  }
}

/** A secret belongs to root, to who runs driftline or to who runs the hook, and nobody else may read it. */
function credentialProblem(file: string, user: User | undefined): string | undefined {
  let stats: Stats;
  try {
    stats = lstatSync(file);
  } catch (error) {
    return errorCode(error) ?? errorMessage(error);
  }
  if (!stats.isFile()) return 'not a regular file';
  if (![0, process.geteuid?.(), user?.uid].includes(stats.uid)) return `belongs to user ${stats.uid}`;
  // Nobody but the owner, or the group of who runs the hook.
  const open = stats.gid === user?.gid ? 0o027 : 0o077;
  return (stats.mode & open) === 0 ? undefined : 'others may read or write it';
}

/** setpriv(1) takes all groups of the user, which spawn(3) of Node would drop, and comes after the cgroup was entered. */
function prefixFor(name: string, { uid, gid }: User): string[] | { readonly problem: string } {
  if (uid === process.geteuid?.()) return [];
  const found = findProgram('setpriv', { path: HOOK_PATH, cwd: '/' });
  if ('problem' in found) return { problem: `it cannot be run as ${name}: ${found.problem}` };
  return [found.path, `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--inh-caps=-all', '--'];
}
