// The state directory: the baseline's file and what lies beside it, named after it.
import { mkdirSync, statSync } from 'node:fs';
import { openHasher } from '../disk/digest.ts';
import { AppError, errorCode, errorMessage } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, dirOf, pathToBytes, ROOT } from '../domain/path.ts';
import type { ScopeSettings } from '../domain/rule.ts';
import type { Settings } from '../domain/settings.ts';
import type { Store } from '../engine/ports/store.ts';
import { type Lock, tryLock } from '../libc/lock.ts';
import { openStore, readRoots } from '../sqlite/store.ts';
import { canonicalPath } from './rule-paths.ts';
import { assertDirectoryTrusted, assertStateTrusted, STATE_SUFFIXES } from './state-trust.ts';

export const hash = openHasher();

export function hexDigest(bytes: Uint8Array): string {
  return Buffer.from(hash(bytes)).toString('hex');
}

function lockPath(baseline: BytePath): BytePath {
  return `${baseline}.lock` as BytePath;
}

export function socketPath(baseline: BytePath): BytePath {
  return `${baseline}.sock` as BytePath;
}

/** Throws what `openStore` and `assertStateTrusted` throw. */
export function openState({ baseline }: Settings, mode: 'read' | 'write' | 'create'): Store {
  assertStateTrusted(baseline);
  const store = openStore({ path: baseline, mode, hash });
  try {
    // What SQLite opened or made beside it meanwhile.
    assertStateTrusted(baseline);
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

/** The paths that the baseline was made of. Throws what `openState` throws, but does not look at the entries. */
export function rootsOfState(baseline: BytePath): readonly BytePath[] {
  assertStateTrusted(baseline);
  return readRoots({ path: baseline, hash });
}

/** The rules, with driftline's own files left out. */
export function scopeSettings({ rules, ignore, baseline }: Settings): ScopeSettings {
  const real = canonicalPath(baseline);
  const own = STATE_SUFFIXES.map((suffix) => `${real}${suffix}` as BytePath);
  return { rules, ignore, own };
}

/** Creates the state directory with mode 0700, and its missing parents one by one, where nobody else could replace them. */
export function makeStateDirectory(baseline: BytePath): void {
  const missing: BytePath[] = [];
  let dir = dirOf(baseline);
  for (; dir !== ROOT && !isDirectory(dir); dir = dirOf(dir)) missing.push(dir);
  assertDirectoryTrusted(dir, 'CANNOT_CREATE');
  for (const dir of missing.reverse()) {
    try {
      mkdirSync(pathToBytes(dir), { mode: 0o700 });
    } catch (error) {
      if (errorCode(error) === 'EEXIST' && isDirectory(dir)) continue;
      throw cannotCreate(dir, error);
    }
  }
}

function isDirectory(path: BytePath): boolean {
  try {
    return statSync(pathToBytes(path)).isDirectory();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw cannotCreate(path, error);
  }
}

function cannotCreate(path: BytePath, cause: unknown): AppError {
  return new AppError(
    'CANNOT_CREATE',
    `cannot create the state directory ${escapePath(path)}: ${errorMessage(cause)}`,
    {
      hint: 'choose another place for the baseline: `baseline:` in the configuration, or --baseline FILE',
      cause,
    },
  );
}

/** Held by whoever may write to the baseline; undefined when another process is that. Throws what `assertStateTrusted` throws. */
export function lockState(baseline: BytePath): Lock | undefined {
  assertStateTrusted(baseline);
  try {
    return tryLock(lockPath(baseline));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw baselineMissing(baseline);
    throw error;
  }
}

/** When whoever had the lock gave the last sign of life, in milliseconds since the epoch; undefined when nobody ever had it. */
export function lastSignOfLife(baseline: BytePath): number | undefined {
  try {
    return statSync(pathToBytes(lockPath(baseline))).mtimeMs;
  } catch {
    // Nobody, or nobody that may be known of here.
    return undefined;
  }
}

function baselineMissing(baseline: BytePath): AppError {
  return new AppError('BASELINE_MISSING', `there is no baseline ${escapePath(baseline)}`, {
    hint: 'make one with `driftline init`',
  });
}

export function busy(baseline: BytePath): AppError {
  return new AppError('BUSY', `another driftline is using ${escapePath(baseline)}`, {
    hint: 'wait for it to end, or stop it: `driftline status` says who it is',
  });
}
