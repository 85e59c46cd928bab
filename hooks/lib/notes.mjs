// What a hook before an operation leaves for the one after it: a file that only its owner can write or read.
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setting } from './settings.mjs';

function directory() {
  return setting('RUNTIME', '/run/driftline-hooks');
}

export function writeNotes(name, value) {
  try {
    mkdirSync(directory(), { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  assertOurs(lstatSync(directory()), directory());
  const file = `${directory()}/${name}.json`;
  rmSync(`${file}.new`, { force: true });
  writeFileSync(`${file}.new`, JSON.stringify(value), { flag: 'wx', mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Undefined when there are none, or when they are older than `maxAgeMs`; those are removed. */
export function readNotes(name, maxAgeMs) {
  const file = `${directory()}/${name}.json`;
  try {
    assertOurs(lstatSync(directory()), directory());
    if (Date.now() - statSync(file).mtimeMs <= maxAgeMs) return JSON.parse(readFileSync(file, 'utf8'));
    rmSync(file);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return undefined;
}

export function removeNotes(name) {
  rmSync(`${directory()}/${name}.json`, { force: true });
}

function assertOurs(stat, path) {
  if (!stat.isDirectory() || stat.uid !== process.getuid() || (stat.mode & 0o022) !== 0) {
    throw new Error(`${path} could be written by others`);
  }
}
