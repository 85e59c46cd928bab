// A hook for tests: what is not said is the default.
import { type HookSettings, PLAIN_HOOK } from '../../src/domain/settings.ts';

export function hook(fields: Partial<HookSettings> = {}): HookSettings {
  return {
    ...PLAIN_HOOK,
    name: 'test',
    run: ['/bin/true'],
    stdin: 'paths0',
    quietMs: 500,
    deadlineMs: 2000,
    timeoutMs: 60_000,
    onBusy: 'queue',
    retry: { attempts: 3, backoffMinMs: 1000, backoffMaxMs: 4000 },
    exitCodes: { ok: [0], again: [75] },
    stop: { signal: 'TERM', graceMs: 10_000 },
    ...fields,
  };
}
