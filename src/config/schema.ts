// What a configuration may say, with a description of every key. What concerns several keys at once (names that refer to
// each other) is checked in settings.ts.
import { ATTRIBUTE_GROUPS, ATTRIBUTES } from '../domain/attribute.ts';
import { SEVERITIES } from '../domain/drift.ts';
import { actorClauses } from './actor-schema.ts';
import { HOOK_KEYS, hook, hookLimits } from './hook-schema.ts';
import type { KeyPath } from './problem.ts';
import { parseRate, RATE_PATTERN } from './rate.ts';
import { type Issue, mistakesOf } from './schema-messages.ts';
import { absolutePath, age, duration, fail, interval, longest, name, pattern, words } from './schema-parts.ts';
import { z } from './zod.ts';

const rate = z.union(
  [
    z.literal('off').transform(() => undefined),
    z
      .string()
      .regex(RATE_PATTERN, 'must be an amount per second, such as 50MB/s')
      .transform((text, context) => parseRate(text) ?? fail(context, 'must be at least 1KiB/s')),
  ],
  'must be an amount per second, such as 50MB/s, or off',
);

const sweepContent = z.strictObject({
  critical: age.prefault('all').describe('Of critical rules.'),
  normal: age.prefault('all').describe('Of all other rules.'),
});

const sweepTiers = z.strictObject({
  critical: interval('5m').prefault('5m').describe('How often paths of critical rules are compared; `off`: never.'),
  normal: interval('24h')
    .prefault('24h')
    .describe('How often the paths of all other rules are compared; `off`: never.'),
  content: z
    .union(
      [
        z.literal('all').transform(() => ({ critical: undefined, normal: undefined })),
        longest.transform((ms) => ({ critical: ms, normal: ms })),
        sweepContent,
      ],
      'must be all, a time such as 7d, or critical and normal with one each',
    )
    .prefault('all')
    .describe(
      'How much content a sweep reads. `all`: of every file. A time: of so many directories that the content of each file is read ' +
        'within it; of the others the times, inode, size, mode and owner are compared, and what differs is read.',
    ),
  maxRate: rate
    .prefault('100MB/s')
    .describe('How much a sweep reads per second at most; every name counts as 4 KiB more; `off`: as fast as it can.'),
});

const SWEEP_OFF = {
  critical: undefined,
  normal: undefined,
  content: { critical: undefined, normal: undefined },
  maxRate: undefined,
};

const watch = z.strictObject({
  marks: z
    .enum(['auto', 'mount'])
    .default('auto')
    .describe(
      '`auto`: mount and filesystem marks, sees everything. `mount`: mount marks alone, sees content being written.',
    ),
  who: z
    .enum(['map', 'strict', 'proc'])
    .default('map')
    .describe(
      'How writers are identified. `map`: by following program starts. `strict`: the same, and no dynamically linked program runs before it was ' +
        'looked at. `proc`: by looking at /proc when an event is read.',
    ),
  quiet: duration('200ms').describe('How long a path must be left alone before it is read.'),
  deadline: duration('5s').describe('How long a path that is never left alone may wait at most.'),
  sweep: z
    .union(
      [z.literal('off').transform(() => SWEEP_OFF), sweepTiers],
      'must be off, or critical and normal with a time each',
    )
    .prefault({})
    .describe('How often everything is compared in the background, for what events cannot show; `off`: never.'),
  canary: interval('60s')
    .prefault('60s')
    .describe(
      'How often the marks are compared with those of the kernel and each mount is asked for an event, which must come within 10 seconds; ' +
        '`off`: no mount is asked, and the marks are compared every minute.',
    ),
  hooks: hookLimits.prefault({}).describe('What holds for all hooks together.'),
});

const rule = z.strictObject({
  name: name.describe('Appears in every record; unique.'),
  paths: z
    .array(absolutePath)
    .min(1, 'needs at least one path')
    .describe('Each path stands for itself and everything below it. The rule with the longest path wins.'),
  exclude: z
    .array(pattern)
    .default([])
    .describe('What the rule leaves out: /path, a name such as *.swp, or a glob such as /srv/**/tmp.'),
  attributes: words('an attribute, a group')
    .prefault('default')
    .describe(`What is compared: ${ATTRIBUTES.join(', ')}; or groups: ${ATTRIBUTE_GROUPS.join(', ')} and your own.`),
  severity: z.enum(SEVERITIES).default('normal').describe('How much drift of these paths matters.'),
  onDrift: z
    .enum(['report', 'accept', 'ignore'])
    .default('report')
    .describe('`report`: open until accepted. `accept`: run the hooks and make it the baseline. `ignore`: nothing.'),
  by: actorClauses
    .prefault([])
    .describe(
      'What counts instead when nobody but these processes did it; the first that fits. It is as true as their names.',
    ),
  hooks: z.array(z.string()).default([]).describe('Names of the hooks that run on drift.'),
  oneFileSystem: z.boolean().default(false).describe('Leave out other filesystems mounted below the paths.'),
});

const settings = z.strictObject({
  baseline: absolutePath
    .prefault('/var/lib/driftline/baseline.db')
    .describe('The file of the baseline; its directory holds everything that driftline keeps.'),
  watch: watch.prefault({}).describe('How `driftline watch` watches.'),
  ignore: z.array(pattern).default([]).describe('What no rule covers, in the form of `exclude`.'),
  attributes: z
    .record(name, words('an attribute, a group'))
    .default({})
    .describe('Your own groups of attributes, by name.'),
  rules: z.array(rule).min(1, 'needs at least one rule').describe('What is watched.'),
  hooks: z.record(name, hook).default({}).describe('Commands to run on drift, by name.'),
});

/** A configuration with defaults applied and texts parsed, before its names are resolved. */
export type Shape = z.output<typeof settings>;

export interface Mistake {
  readonly path: KeyPath;
  readonly message: string;
}

/** Checks the value of a configuration file against the schema. */
export function parseShape(value: unknown): { readonly shape: Shape } | { readonly mistakes: readonly Mistake[] } {
  const result = settings.safeParse(value, { reportInput: true });
  if (result.success) return { shape: result.data };
  return { mistakes: mistakesOf(result.error.issues as readonly Issue[], KNOWN_KEYS) };
}

const KNOWN_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['', Object.keys(settings.shape)],
  ['watch', Object.keys(watch.shape)],
  ['watch.sweep', Object.keys(sweepTiers.shape)],
  ['watch.sweep.content', Object.keys(sweepContent.shape)],
  ['watch.hooks', Object.keys(hookLimits.shape)],
  ['rules.*', Object.keys(rule.shape)],
  ...HOOK_KEYS,
]);

/** The JSON Schema (draft 2020-12) of the configuration, for editors. */
export function settingsJsonSchema(): Readonly<Record<string, unknown>> {
  return { title: 'driftline configuration', ...z.toJSONSchema(settings, { io: 'input' }) };
}
