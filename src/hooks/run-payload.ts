// What the command of `driftline run` is told: names on standard input, their number in the environment.
import type { BytePath } from '../domain/path.ts';
import type { HookBatch } from '../engine/ports/outbox.ts';

/**
 * `paths0`: each name ended by NUL, byte for byte. `lines`: by a newline; a newline in a name is written as `\n`, so that no
 * name can pass for two. `none`: nothing.
 */
export const RUN_INPUTS = ['paths0', 'lines', 'none'] as const;
export type RunInput = (typeof RUN_INPUTS)[number];

export function runPayload(
  stdin: RunInput,
  { paths }: HookBatch,
  runId: string,
): { readonly input: Uint8Array; readonly environment: Readonly<Record<string, string>> } {
  const environment = { DRIFTLINE_RUN_ID: runId, DRIFTLINE_PATHS: String(paths.length) };
  return { input: inputOf(stdin, paths), environment };
}

function inputOf(stdin: RunInput, paths: readonly BytePath[]): Uint8Array {
  switch (stdin) {
    case 'paths0':
      return Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1');
    case 'lines':
      return Buffer.from(paths.map((path) => `${path.replaceAll('\n', '\\n')}\n`).join(''), 'latin1');
    case 'none':
      return new Uint8Array(0);
  }
}
