// A filesystem with groups on it, for one scenario; taken down whatever happens.
import * as fan from 'driftline/fanotify';
import { Scratch } from '../scratch.ts';
import { linesOf, sh } from './lines.ts';

export const path = fan.pathFromText;

export class Stage {
  readonly scratch = new Scratch();
  readonly root: string;
  readonly #groups: fan.FanotifyGroup[] = [];

  constructor(type: 'tmpfs' | 'ext4' = 'tmpfs') {
    this.root = this.scratch[type]('fs');
  }

  /** Below the root. */
  at(name: string): fan.BytePath {
    return path(`${this.root}/${name}`);
  }

  open(flags: number, more: Omit<fan.GroupOptions, 'flags'> = {}): fan.FanotifyGroup {
    const group = fan.FanotifyGroup.open({ flags, ...more });
    this.#groups.push(group);
    return group;
  }

  /** A group with one mark, on the root. */
  watch(flags: number, mask: number, mark: number = fan.FAN_MARK_FILESYSTEM): fan.FanotifyGroup {
    const group = this.open(flags);
    group.mark(mark, mask, path(this.root));
    return group;
  }

  /** Runs a shell script in the root. */
  sh(script: string): void {
    sh(this.root, script);
  }

  /** What a script makes a group say. */
  after(group: fan.FanotifyGroup, script: string): string[] {
    this.sh(script);
    return linesOf(group);
  }

  [Symbol.dispose](): void {
    for (const group of this.#groups) group.close();
    this.scratch[Symbol.dispose]();
  }
}
