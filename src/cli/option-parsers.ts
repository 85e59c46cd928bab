// What stands behind an option: from its text to its value.
import { parseDuration } from '../config/duration.ts';
import { parseRate } from '../config/rate.ts';
import { AppError } from '../domain/errors.ts';
import type { ValueKind } from './option-row.ts';

/** Is given what the option's former occurrences came to. */
export type OptionParser = (text: string, before: unknown) => unknown;

/** Undefined when the text is the value, or there is none. Throws USAGE for what cannot be one. */
export function parserOf(flags: string, kind: ValueKind, hint: string): OptionParser | undefined {
  const parse = PARSERS[kind];
  if (parse === undefined) return undefined;
  return (text, before) => {
    const value = parse(text, before);
    if (typeof value !== 'string') return value;
    throw new AppError('USAGE', `option '${flags}' argument '${text}' is invalid. ${value}`, { hint });
  };
}

/** A text says what is wrong. */
const PARSERS: Readonly<Record<ValueKind, OptionParser | undefined>> = {
  flag: undefined,
  text: undefined,
  list: (text, before) => [...((before ?? []) as string[]), text],
  pids(text, before) {
    const pids = text.split(',').map(positiveInteger);
    return pids.find((pid) => typeof pid === 'string') ?? [...((before ?? []) as number[]), ...pids];
  },
  times: (_, before) => ((before ?? 0) as number) + 1,
  count: positiveInteger,
  threads: (text) => atMost(THREADS_MAX, positiveInteger(text)),
  seconds,
  rate: (text) => parseRate(text) ?? 'it must be an amount per second, such as 50MB/s or 1.5GiB/s',
  duration: (text) => parseDuration(text) ?? 'it must be a time with a unit, such as 200ms, 5s or 1m',
};

function positiveInteger(text: string): number | string {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : 'it must be a positive number';
}

/** Each takes some 15 MiB, and no disk is faster with more. */
const THREADS_MAX = 64;

function atMost(max: number, value: number | string): number | string {
  return typeof value === 'number' && value > max ? `it must be ${max} at most` : value;
}

/** Timers of Node hold 31 bits of milliseconds. */
const SECONDS_MAX = 2_147_483;

function seconds(text: string): number | string {
  const value = Number(text);
  if (/^[\d.]+$/.test(text) && value > 0 && value <= SECONDS_MAX) return value;
  return `it must be a number of seconds, ${SECONDS_MAX} at most`;
}
