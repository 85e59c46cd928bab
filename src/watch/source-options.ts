// What a fanotify source is opened with.
import type { ScopeSettings } from '../domain/rule.ts';
import type { Who } from '../domain/settings.ts';
import type { StoredGroup } from './resumption.ts';

export interface FanotifySourceOptions {
  readonly scope: ScopeSettings;
  /** `auto`: filesystem marks beside the mount marks, with a fall-back per mount. `mount`: mount marks alone. */
  readonly marks: 'auto' | 'mount';
  /** `map`: programs are followed from their exec. `strict`: and looked at before they run. `proc`: /proc is asked when an event is read. */
  readonly who: Who;
  /** An inode table (domain/inode-table.ts); without one the other names of hard links are not told of. */
  readonly inodes?: SharedArrayBuffer;
  /** How often the marks are compared with what the kernel has, and an event of each mount is asked for; default 60 s. */
  readonly verifyMs?: number | undefined;
  /** false: no events are asked for. */
  readonly asks?: boolean;
  /** Groups of an earlier process, with their marks and queues, to go on with; owned from now on. */
  readonly stored?: readonly StoredGroup[] | undefined;
  readonly onProblem: (message: string) => void;
  /** What `coverage` says is new. */
  readonly onCoverage?: () => void;
}
