// Which groups the reader has, for whoever keeps copies of their descriptors.
import type { FanotifyGroup } from '../fanotify/group.ts';
import type { WatchGroup } from './marks.ts';
import type { HeldGroup, ReaderMessage } from './messages.ts';

export class HeldGroups {
  readonly #post: (message: ReaderMessage) => void;
  readonly #nameOf: (group: FanotifyGroup) => string | undefined;
  #ids = new Map<FanotifyGroup, number>();
  #last = 0;

  /** `nameOf`: a group of the process before has a copy under that name. */
  constructor(post: (message: ReaderMessage) => void, nameOf: (group: FanotifyGroup) => string | undefined) {
    this.#post = post;
    this.#nameOf = nameOf;
  }

  /** Says so when they are others than the last time. */
  tell(groups: readonly WatchGroup[]): void {
    const before = this.#ids;
    this.#ids = new Map(groups.map(({ group }) => [group, before.get(group) ?? ++this.#last]));
    if (this.#ids.size === before.size && groups.every(({ group }) => before.has(group))) return;
    const held = [...this.#ids].map(([group, id]): HeldGroup => ({ id, fd: group.fd, former: this.#nameOf(group) }));
    this.#post({ kind: 'groups', groups: held });
  }
}
