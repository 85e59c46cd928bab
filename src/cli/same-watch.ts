// Whether a new configuration watches just what the present one does, in the same way: then marks and baseline stay as they are.
import type { Settings } from '../domain/settings.ts';

/** What may differ: the hooks with their limits, and of rules name, severity, `by` and which hooks they run. */
export function isSameWatch(a: Settings, b: Settings): boolean {
  return watchingPart(a) === watchingPart(b);
}

function watchingPart({ baseline, ignore, rules, watch }: Settings): string {
  const { marks, who, quietMs, deadlineMs, sweep, canaryMs } = watch;
  return JSON.stringify([
    [baseline, ignore, marks, who, quietMs, deadlineMs, sweep, canaryMs],
    rules.map(({ paths, exclude, attributes, onDrift, oneFileSystem }) => [
      paths,
      exclude,
      [...attributes.names].sort(),
      attributes.growing,
      onDrift,
      oneFileSystem,
    ]),
  ]);
}
