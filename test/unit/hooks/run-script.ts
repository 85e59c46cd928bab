// A directory for the scripts of a test file, and a request that runs one of them.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { HookSettings } from '../../../src/domain/settings.ts';
import type { RunRequest } from '../../../src/engine/ports/hook-runner.ts';
import { hook as settings } from '../../fakes/hook.ts';

export const SCRATCH = mkdtempSync(join(tmpdir(), 'driftline-hooks-'));
afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }));

let count = 0;

/** Writes an executable `sh` script and returns its path. */
export function script(body: string, mode = 0o755): string {
  count += 1;
  const path = join(SCRATCH, `hook-${count}`);
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode });
  return path;
}

export function request(
  run: readonly string[],
  options: Partial<RunRequest> = {},
  hook: Partial<HookSettings> = {},
): RunRequest {
  return {
    hook: settings({
      run,
      quietMs: 0,
      deadlineMs: 0,
      timeoutMs: 15_000,
      retry: { attempts: 1, backoffMinMs: 0, backoffMaxMs: 0 },
      stop: { signal: 'TERM', graceMs: 150 },
      ...hook,
    }),
    runId: 'R1',
    batch: { key: 'K1', hook: 'test', attempts: 0, records: [], paths: [], lastNumber: 0 },
    input: new Uint8Array(0),
    environment: {},
    signal: new AbortController().signal,
    kill: new AbortController().signal,
    onStart: () => {},
    ...options,
  };
}

/** A zombie is dead, whenever somebody reaps it. */
export function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, 'latin1'));
}
