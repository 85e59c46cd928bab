// A directory for one baseline file per test.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Store } from '../../../src/engine/ports/store.ts';
import { openStore } from '../../../src/sqlite/store.ts';
import { path } from '../../fakes/entry.ts';

/** Any digest of 32 bytes serves the store. */
export const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'driftline-sqlite-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Opens the baseline at `file`, and closes it when the test is over. */
export function openAt(file: string, mode: 'read' | 'write' | 'create', busyMs = 50): Store {
  const store = openStore({ path: path(file), mode, hash, busyMs });
  onTestFinished(() => store.close());
  return store;
}
