// Whether the programs of hooks can be started, and by whom they could have been replaced.
import { accessSync, constants, statSync } from 'node:fs';
import { AppError, errorMessage } from '../domain/errors.ts';
import { escapeText } from '../domain/escape.ts';
import { pathFromText } from '../domain/path.ts';
import type { HookSettings, Settings } from '../domain/settings.ts';
import { assertTrusted } from './trusted-path.ts';

/** Where bare names are looked up, whatever PATH says. */
const HOOK_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

/** Throws CONFIG, one line per hook, when a hook's program is missing, not executable or not trusted. */
export function checkHooks(settings: Settings): void {
  const problems = settings.hooks.flatMap((hook) => {
    try {
      assertStartable(hook);
      return [];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return [error];
    }
  });
  const [first] = problems;
  if (first === undefined) return;
  const hint =
    first.hint ??
    `install the program, or name it by its absolute path; bare names are looked up in ${HOOK_PATH.join(':')}`;
  throw new AppError('CONFIG', problems.map(errorMessage).join('\n'), { hint, cause: first });
}

function assertStartable(hook: HookSettings): void {
  const name = hook.run[0] ?? '';
  const what = `hook ${hook.name}: program`;
  const candidates = name.startsWith('/') ? [name] : HOOK_PATH.map((directory) => `${directory}/${name}`);
  const program = candidates.find(isExecutable);
  if (program === undefined) throw new AppError('CONFIG', `${what} ${escapeText(name)}: ${whyNot(candidates)}`);
  assertTrusted(pathFromText(program), what);
}

function whyNot(candidates: readonly string[]): string {
  const there = candidates.find((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
  return there === undefined ? 'not found' : `${escapeText(there)} is not executable`;
}

/** Also for root: access(2) gives X_OK only when some execute bit is set. */
function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Whatever the errno, this is not a program that could be started from here.
    return false;
  }
}
