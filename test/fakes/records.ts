// Records and reports for tests that look at neither.
import type { RecordWriter } from '../../src/engine/ports/record-writer.ts';
import type { Reporter } from '../../src/engine/ports/reporter.ts';

export const silentRecords: RecordWriter = {
  drift: ({ kind, path, from, entries, id, seq, severity, actors, accepts, accepted, waitsFor }) => {
    return JSON.stringify({
      type: 'drift',
      kind,
      path,
      from,
      entries,
      id,
      seq,
      severity,
      actors,
      accepts,
      accepted,
      waitsFor,
    });
  },
  resolved: ({ id, path }) => JSON.stringify({ type: 'resolved', id, path }),
  accept: ({ generation, drifts }) => JSON.stringify({ type: 'accept', generation, drifts }),
  run: ({ hook, outcome }) => JSON.stringify({ type: 'run', hook, outcome: outcome.outcome }),
  alert: ({ kind, hook, message }) => JSON.stringify({ type: 'alert', kind, hook, message }),
  release: ({ hook, reason }) => JSON.stringify({ type: 'release', hook, reason }),
  overflow: ({ count }) => JSON.stringify({ type: 'overflow', count }),
  coverage: ({ state }) => JSON.stringify({ type: 'coverage', state }),
  gap: ({ gap }) => JSON.stringify({ type: 'gap', cause: gap.cause }),
  sweep: ({ tier, entries, drifts }) => JSON.stringify({ type: 'sweep', tier, entries, drifts }),
  lifecycle: (kind) => JSON.stringify({ type: kind }),
};

export const silentReporter: Reporter = { drift() {}, resolved() {}, problem() {}, notice() {} };
