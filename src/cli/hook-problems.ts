// What would keep hooks from running, told where the configuration says it.
import { checkHooks, type TellHook } from '../config/programs.ts';
import { AppError } from '../domain/errors.ts';
import type { Settings } from '../domain/settings.ts';
import { fenceProblems } from '../hooks/fence.ts';
import { findProgram } from '../hooks/program.ts';
import { hexDigest } from './state.ts';

/** `told` of LoadedSettings; undefined: there is no configuration, and so no hook. */
type Told = ((path: readonly PropertyKey[], message: string) => string) | undefined;

/** Throws CONFIG when a program is missing, not executable or not trusted. */
export function checkPrograms(settings: Settings, told: Told): void {
  checkHooks(settings, findProgram, told && tellHook(told));
}

/**
 * A line for each credential, user or pinned digest that is not as it has to be for a run. Each run looks again, and is refused
 * then: a watch goes on, with a warning.
 */
export function fenceWarnings({ hooks }: Settings, told: Told): string[] {
  if (told === undefined) return [];
  const tell = tellHook(told);
  return hooks.flatMap((hook) =>
    fenceProblems(hook, hexDigest).map(({ key, message }) => tell(hook.name, key, message)),
  );
}

/** Both; throws CONFIG for either. */
export function checkEverythingOfHooks(settings: Settings, told: Told): void {
  checkPrograms(settings, told);
  const warnings = fenceWarnings(settings, told);
  if (warnings.length > 0) {
    throw new AppError('CONFIG', warnings.join('\n'), { hint: 'until then every run of such a hook is refused' });
  }
}

function tellHook(told: NonNullable<Told>): TellHook {
  return (hook, key, message) => told(['hooks', hook, ...key], message);
}
