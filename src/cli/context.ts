// What every command starts from: where it was called, what it was asked for, and the settings that follow from both.
import { fileURLToPath } from 'node:url';
import { implicitSettings } from '../config/implicit.ts';
import type { LoadedSettings } from '../config/load.ts';
import type { BytePath } from '../domain/path.ts';
import { compileScope, type Scope } from '../domain/rule.ts';
import type { Settings } from '../domain/settings.ts';
import { argumentPath } from './argument-path.ts';
import type { Output } from './output.ts';
import { canonicalPath, canonicalSettings, rulePathWarnings } from './rule-paths.ts';
import { withUserIds } from './rule-users.ts';
import { rootsOfState, scopeSettings } from './state.ts';

export interface Context {
  /** The directory in which the command was called; the process itself works in `/`. */
  readonly startDir: BytePath;
  readonly output: Output;
  readonly config: string | undefined;
  readonly baseline: string | undefined;
}

/** The hooks that come with driftline: beside dist/ in a checkout and in every package. */
export const HOOKS_DIR = fileURLToPath(new URL('../../hooks', import.meta.url));

export interface Loaded {
  readonly settings: Settings;
  /** The settings with the rule paths as they are named there; in `settings` they are as the kernel names them. */
  readonly asWritten: Settings;
  /** undefined: no configuration, `--baseline` stands for it. */
  readonly file: string | undefined;
  /** A mistake at a key of the configuration, as it is told. */
  readonly told?: LoadedSettings['told'];
}

/**
 * The configuration; or, with --baseline and no --config, one rule over `paths` (over what the baseline was made of, when
 * there are none). --baseline beside --config overrides `baseline:`.
 */
export async function loadContext(context: Context, implicitPaths: readonly BytePath[] = []): Promise<Loaded> {
  const { config, baseline, startDir, output } = context;
  if (baseline !== undefined && config === undefined) {
    const settings = implicit(argumentPath(baseline, startDir), implicitPaths);
    // What the baseline names is resolved already: a link that stands there now is none of its directories.
    const resolved = implicitPaths.length > 0 ? canonicalSettings(settings) : settings;
    return { settings: resolved, asWritten: settings, file: undefined };
  }
  // Half of a start is spent on loading what reads configurations: only when there is one to read.
  const { loadSettings } = await import('../config/load.ts');
  const loaded = await loadSettings({ file: config, cwd: startDir, hooksDir: HOOKS_DIR });
  for (const warning of loaded.warnings) output.warn(`driftline: warning: ${warning}`);
  const settings = baseline === undefined ? loaded : { ...loaded, baseline: argumentPath(baseline, startDir) };
  return {
    settings: withUserIds(canonicalSettings(settings)),
    asWritten: settings,
    file: loaded.file,
    told: loaded.told,
  };
}

/** For commands that read or watch what the rules name. */
export function warnOfRulePaths({ output }: Context, { asWritten }: Loaded): void {
  for (const warning of rulePathWarnings(asWritten)) output.warn(`driftline: warning: ${warning}`);
}

function implicit(baseline: BytePath, paths: readonly BytePath[]): Settings {
  return implicitSettings({ baseline, paths: paths.length > 0 ? paths : rootsOfState(baseline) });
}

export function argumentPaths(context: Context, paths: readonly string[]): BytePath[] {
  return paths.map((path) => canonicalPath(argumentPath(path, context.startDir)));
}

export function scopeOf(settings: Settings): Scope {
  return compileScope(scopeSettings(settings));
}
