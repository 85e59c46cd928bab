// What values of several keys have in common.
import { DURATION_PATTERN, parseDuration, parseDurationUpTo } from './duration.ts';
import { normalPath, patternMistake } from './path-text.ts';
import { z } from './zod.ts';

export const duration = (defaultText: string) =>
  z
    .string('must be a time with a unit, such as 200ms, 5s, 5m or 24h')
    .regex(DURATION_PATTERN, 'must be a time with a unit, such as 200ms, 5s, 5m, 24h or 1h 30m')
    .transform((text, context) => parseDuration(text) ?? fail(context, 'must not be longer than 24 days'))
    .prefault(defaultText);

/** Every so often; undefined: never. */
export const interval = (defaultText: string) =>
  z.union(
    [
      z.literal('off').transform(() => undefined),
      duration(defaultText).refine((ms) => ms >= 1000, 'must be at least 1s'),
    ],
    'must be a time with a unit, such as 5m or 24h, or off',
  );

const YEAR_MS = 366 * 86_400_000;

/** How old something may become. */
export const longest = z
  .string()
  .regex(DURATION_PATTERN, 'must be all, or a time with a unit, such as 7d')
  .transform((text, context) => parseDurationUpTo(YEAR_MS, text) ?? fail(context, 'must not be longer than 366 days'));

/** The same; undefined: it is always new. */
export const age = z.union(
  [z.literal('all').transform(() => undefined), longest],
  'must be all, or a time with a unit, such as 7d',
);

export const absolutePath = z
  .string()
  .transform((text, context) => normalPath(text) ?? fail(context, "must be an absolute path without '..'"))
  .meta({ examples: ['/etc'] });

export const pattern = z.string().superRefine((text, context) => {
  const mistake = patternMistake(text);
  if (mistake !== undefined) context.addIssue(mistake);
});

export const words = (what: string) =>
  z.union([z.string().transform((word) => [word]), z.array(z.string())], `must be ${what} or a list of them`);

export const name = z
  .string()
  .regex(/^[A-Za-z0-9._-]+$/, 'must consist of letters, digits, dots, dashes and underscores');

export function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue(message);
  return z.NEVER;
}
