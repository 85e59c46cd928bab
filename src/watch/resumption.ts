// The group of a watch before this one, which somebody kept open (systemd's descriptor store): its queue has what happened
// since, if its marks saw all that is watched now.

import type { MarkInfo } from '../fanotify/fdinfo.ts';
import type { Mount } from '../fanotify/mounts.ts';
import { closeFd } from '../libc/handle.ts';
import { adoptFidGroup, type FidGroup, MOUNT_MASK } from './groups.ts';

export class Resumption {
  readonly fidGroup: FidGroup | undefined;
  /** As the kernel kept them, before any is added. */
  readonly #marks: readonly MarkInfo[];
  #isWhole: boolean;

  /** `fd` undefined: there was none. One that is no such group is closed. */
  constructor(fd: number | undefined) {
    this.fidGroup = fd === undefined ? undefined : adoptFidGroup(fd);
    if (this.fidGroup === undefined && fd !== undefined) closeFd(fd);
    this.#marks = this.fidGroup?.group.marks() ?? [];
    this.#isWhole = this.fidGroup !== undefined;
  }

  /** A mount is about to be marked: `isOwn` in that group, `kind` says what its events come from. */
  note({ id, device }: Mount, kind: 'filesystem' | 'mount', isOwn: boolean): void {
    const isMarked = this.#marks.some((mark) => {
      if ((mark.mask & MOUNT_MASK) !== MOUNT_MASK) return false;
      return kind === 'filesystem'
        ? mark.kind === kind && mark.device === device
        : mark.kind === kind && mark.mountId === id;
    });
    this.#isWhole &&= isOwn && isMarked;
  }

  /** A mount has no mark in that group. */
  lacks(): void {
    this.#isWhole = false;
  }

  /** Nothing that is watched went unseen in between. */
  get isWhole(): boolean {
    return this.#isWhole;
  }
}
