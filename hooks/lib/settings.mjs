// What a hook is told: settings in DRIFTLINE_* (driftline(8), HOOKS), the rest on standard input.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** sysexits(3). */
export const EX_USAGE = 64;
export const EX_IOERR = 74;
export const EX_TEMPFAIL = 75;

const name = basename(process.argv[1] ?? 'hook', '.mjs');

/** One line on standard error, which driftline keeps with the run. */
export function tell(message) {
  process.stderr.write(`${name}: ${message}\n`);
}

/** Ends the hook. */
export function fail(message, code = EX_USAGE) {
  tell(message);
  process.exit(code);
}

/** DRIFTLINE_<key>; an empty one counts as not set. */
export function setting(key, otherwise) {
  const value = process.env[`DRIFTLINE_${key}`];
  return value === undefined || value === '' ? otherwise : value;
}

/** A list of the configuration: _1, _2 ... and _COUNT; a plain word is a list of one. */
export function listSetting(key) {
  const single = setting(key);
  if (single !== undefined) return [single];
  return Array.from({ length: numberSetting(`${key}_COUNT`, 0) }, (_, at) => setting(`${key}_${at + 1}`, ''));
}

export function numberSetting(key, otherwise) {
  const text = setting(key);
  if (text === undefined) return otherwise;
  if (!/^\d{1,15}$/.test(text)) fail(`DRIFTLINE_${key} is not a number`);
  return Number(text);
}

/** The content of the file that the setting names, without the newline at its end: a password or a token. */
export function secretSetting(key) {
  const file = setting(key);
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    return fail(`DRIFTLINE_${key}: ${error.message}`, EX_IOERR);
  }
}

/** All of standard input. */
export function readInput() {
  return readFileSync(0);
}
