// Settings without a configuration. Spelled out, not parsed: loading what parses configurations takes a fifth of a second,
// which is most of a check of a small tree. A test holds every value to the default of the schema.
import { type AttributeSet, resolveAttributes } from '../domain/attribute.ts';
import type { BytePath } from '../domain/path.ts';
import type { Settings } from '../domain/settings.ts';

export interface ImplicitOptions {
  /** Absolute. */
  readonly baseline: BytePath;
  /** Absolute and normal. */
  readonly paths: readonly BytePath[];
}

/** `--baseline FILE PATH...`: one rule named `default` over `paths`, no hooks, every default of the schema. */
export function implicitSettings({ baseline, paths }: ImplicitOptions): Settings {
  const rule = {
    name: 'default',
    paths: [...new Set(paths)],
    exclude: [],
    attributes: resolveAttributes(['default'], new Map()) as AttributeSet,
    severity: 'normal',
    onDrift: 'report',
    hooks: [],
    oneFileSystem: false,
  } as const;
  const content = { criticalMs: undefined, normalMs: undefined };
  const sweep = { criticalMs: 5 * 60_000, normalMs: 24 * 3_600_000, content, bytesPerSecond: 100_000_000 };
  const hooks = { concurrency: 8, chain: 3 };
  const watch = { marks: 'auto', who: 'map', quietMs: 200, deadlineMs: 5_000, sweep, canaryMs: 60_000, hooks } as const;
  return { baseline, watch, ignore: [], rules: [rule], hooks: [] };
}
