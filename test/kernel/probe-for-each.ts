// A scratch directory for each test of a file, and the source that the test opens in it: both are gone after it.
import { afterEach, beforeEach } from 'vitest';
import { needCapabilities } from './capability.ts';
import { Probe, type ProbeOptions } from './probe.ts';
import { Scratch } from './scratch.ts';

/** Of the running test. */
export let scratch: Scratch;
let probe: Probe | undefined;

/** To be called once in a test file. */
export function probeForEach(): void {
  beforeEach((context) => {
    needCapabilities(context);
    scratch = new Scratch();
  });
  afterEach(async () => {
    await probe?.close();
    probe = undefined;
    scratch?.[Symbol.dispose]();
  });
}

export async function watch(roots: readonly string[], options: ProbeOptions = {}): Promise<Probe> {
  probe = await Probe.open(roots, options);
  return probe;
}
