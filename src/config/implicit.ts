// Settings without a configuration: `driftline check --baseline FILE PATH...`.
import { AppError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import type { Settings } from '../domain/settings.ts';
import { parseShape } from './schema.ts';
import { resolveSettings } from './settings.ts';

export interface ImplicitOptions {
  /** Absolute. */
  readonly baseline: BytePath;
  /** Absolute and normal. */
  readonly paths: readonly BytePath[];
}

/** One rule named `default` over `paths`, no hooks, every default of the schema. */
export function implicitSettings({ baseline, paths }: ImplicitOptions): Settings {
  const parsed = parseShape({ rules: [{ name: 'default', paths: ['/'] }] });
  if ('mistakes' in parsed) throw new AppError('INTERNAL', 'internal error: the defaults do not fit the schema');
  const { settings } = resolveSettings(parsed.shape, '');
  return { ...settings, baseline, rules: settings.rules.map((rule) => ({ ...rule, paths: [...new Set(paths)] })) };
}
