// Whether the programs of hooks can be started, and by whom they could have been replaced.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { AppError, errorMessage } from '../domain/errors.ts';
import { escapeText } from '../domain/escape.ts';
import { pathFromText } from '../domain/path.ts';
import type { HookSettings, Settings } from '../domain/settings.ts';
import type { KeyPath } from './problem.ts';
import { assertTrusted } from './trusted-path.ts';

/** Where a hook's program is; the one that will be asked at each run. */
export type FindProgram = (name: string) => { readonly path: string } | { readonly problem: string };

/** A mistake of a hook, at a key of it, as it is told: escaped. */
export type TellHook = (hook: string, key: KeyPath, message: string) => string;

const plainly: TellHook = (hook, _, message) => `hook ${escapeText(hook)}: ${escapeText(message)}`;

/** Throws CONFIG, one line per hook, when a hook's program is missing, not executable or not trusted. */
export function checkHooks(settings: Settings, findProgram: FindProgram, tell = plainly): void {
  const problems = settings.hooks.flatMap((hook) => {
    try {
      assertStartable(hook, findProgram, tell);
      return [];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return [error];
    }
  });
  const [first] = problems;
  if (first === undefined) return;
  const hint = first.hint ?? 'install the program, make it executable, or name it by its absolute path';
  throw new AppError('CONFIG', problems.map(errorMessage).join('\n'), { hint, cause: first });
}

function assertStartable(hook: HookSettings, findProgram: FindProgram, tell: TellHook): void {
  for (const key of ['run', 'before', 'after', 'onFailure'] as const) {
    const command = hook[key];
    if (command === undefined) continue;
    const found = findProgram(command[0] ?? '');
    if ('problem' in found) throw new AppError('CONFIG', tell(hook.name, [key], found.problem));
    const what = (noun: string): string => tell(hook.name, [key], noun);
    assertTrusted(pathFromText(found.path), what('program'));
    for (const script of scriptsOf(command)) assertTrusted(pathFromText(script), what('script'));
  }
}

/** Programs that run what their arguments name; versions of them (python3.11) count as well. */
const INTERPRETERS = new Set(
  'sh bash dash ksh zsh busybox env nice nohup setsid stdbuf timeout sudo python perl ruby node php lua awk tclsh'.split(
    ' ',
  ),
);

/** The files among the arguments of an interpreter: one of them is what it runs, and none is worth a doubt. */
function scriptsOf([program = '', ...args]: readonly string[]): string[] {
  const name = basename(program).replace(/[\d.]+$/, '');
  return INTERPRETERS.has(name) ? args.filter((arg) => arg.startsWith('/') && isFile(arg)) : [];
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // Not there, or not to be looked at: an argument like any other.
    return false;
  }
}
