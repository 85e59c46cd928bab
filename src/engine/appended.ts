// Files that became longer than the baseline has them: whatever is appended further, they differ from it. Of those, readings
// may go on where the last one ended (Disk.read): the digest is then as good as the reading of what was there before. When
// everything is compared, and when a difference is accepted, all of it is read. Logs that may grow are among them; of those the
// part that the baseline has is read apart (growth-checks.ts).
import type { Entry } from '../domain/entry.ts';
import type { BytePath } from '../domain/path.ts';
import type { Finding } from './page-diff.ts';

/** Smaller files are read as a whole faster than anybody looks. */
const BYTES_MIN = 1024n * 1024n;
const FILES_MAX = 1_024;

export interface Appended {
  has(path: BytePath): boolean;
  /** What names the readings that belong together; undefined: the file has to be read from its beginning. */
  tokenOf(path: BytePath, baseline: Entry | undefined): number | undefined;
  /** What was found at a path. */
  note(finding: Finding): void;
  /** Something was found that no event had told of: the next reading begins anew. */
  doubt(path: BytePath): void;
  /** The same of all of them. */
  doubtAll(): void;
  paths(): BytePath[];
}

interface Longer {
  readonly token: number;
  /** What it is longer than; undefined: the baseline does not have it. Another size was accepted since. */
  readonly baselineBytes: bigint | undefined;
}

export function openAppended(): Appended {
  const files = new Map<BytePath, Longer>();
  let token = 0;
  return {
    has: (path) => files.has(path),
    tokenOf(path, baseline) {
      const known = files.get(path);
      if (known !== undefined && known.baselineBytes === baseline?.sizeBytes) return known.token;
      files.delete(path);
      return undefined;
    },
    note(finding) {
      // Written to while it was read, maybe: nothing follows.
      if (finding.kind === 'incomplete' || finding.kind === 'lost') return;
      const { path } = finding.kind === 'removed' ? finding.before : finding.after;
      if (!isLonger(finding)) {
        files.delete(path);
      } else if (!files.has(path)) {
        if (files.size >= FILES_MAX) files.clear();
        token += 1;
        const baselineBytes = finding.kind === 'changed' ? finding.before.sizeBytes : undefined;
        files.set(path, { token, baselineBytes });
      }
    },
    doubt: (path) => {
      files.delete(path);
    },
    doubtAll: () => files.clear(),
    paths: () => [...files.keys()],
  };
}

/**
 * Whether a file stays what it is, drift or a log that has grown, however much is appended; not where what is found may
 * become the baseline without being read again.
 */
function isLonger(finding: Finding): finding is Extract<Finding, { readonly kind: 'added' | 'changed' }> {
  if (finding.kind !== 'added' && finding.kind !== 'changed') return false;
  const { after, rule } = finding;
  if (after.type !== 'file' || after.sizeBytes < BYTES_MIN) return false;
  if (rule.onDrift !== 'report' || rule.by !== undefined) return false;
  if (finding.kind === 'added') return true;
  return finding.before.type === 'file' && after.sizeBytes > finding.before.sizeBytes;
}
