// Whether the kernel tests can run here; a run as root with CAP_SYS_ADMIN must not skip any.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

const NEEDED: Readonly<Record<string, bigint>> = { CAP_DAC_READ_SEARCH: 2n, CAP_SYS_ADMIN: 21n };

/** `undefined` when everything is there, else what is missing, for `ctx.skip`. */
export function missingCapability(): string | undefined {
  const effective = BigInt(
    `0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  const missing = Object.keys(NEEDED).filter((name) => (effective & (1n << NEEDED[name]!)) === 0n);
  return missing.length === 0 ? undefined : `needs ${missing.join(' and ')}`;
}

interface Skippable {
  skip(note?: string): void;
}

/** For `beforeEach`: skips the test, naming the capability. */
export function needCapabilities(context: Skippable): void {
  const missing = missingCapability();
  if (missing === undefined) return;
  expect(process.getuid?.() === 0 && !missing.includes('CAP_SYS_ADMIN'), `root must not skip: ${missing}`).toBe(false);
  context.skip(missing);
}
