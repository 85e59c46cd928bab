// Whether what is watched still is: every so often the marks are compared with the kernel's, and each mount is asked for an event.
import type { WatchEvent } from '../engine/ports/event-source.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import { Canaries } from './canary.ts';
import { Due } from './due.ts';
import type { WatchedMounts } from './watched-mounts.ts';

/** Times are wall clock milliseconds. What is found out comes as events. */
export class Vigil {
  readonly #mounts: WatchedMounts;
  readonly #canaries = new Canaries();
  readonly #due: Due;
  readonly #asks: boolean;

  /** `asks`: mounts are asked for events; otherwise only marks are compared. */
  constructor(mounts: WatchedMounts, { everyMs, asks }: { readonly everyMs: number; readonly asks: boolean }) {
    this.#mounts = mounts;
    this.#due = new Due(everyMs, Date.now());
    this.#asks = asks;
  }

  /** Whether an event was asked for, and tells of nothing else. */
  takes(event: FanotifyEvent): boolean {
    return this.#canaries.takes(event);
  }

  /** `isEmpty`: all queues were just seen empty; what is still in one may be what is waited for. */
  listen(nowMs: number, isEmpty: boolean): WatchEvent[] {
    const heard = this.#mounts.heard(this.#canaries.takeHeard(), nowMs);
    return isEmpty ? [...heard, ...this.#mounts.silent(this.#canaries.overdue(nowMs), nowMs)] : heard;
  }

  /** Marks on directories were removed: what was asked for is asked for again. */
  renew(nowMs: number): void {
    this.#canaries.renew(nowMs);
  }

  /** Whether it is time for `ask`; the next time is counted from now on. */
  isDue(nowMs: number): boolean {
    return this.#due.takes(nowMs);
  }

  leftMs(nowMs: number): number {
    return this.#due.leftMs(nowMs);
  }

  /** Sets marks again that are gone, and asks each mount for an event. */
  ask(nowMs: number): WatchEvent[] {
    const verified = this.#mounts.verify(nowMs);
    if (!this.#asks) return verified;
    for (const canary of this.#mounts.canaries()) this.#canaries.send(canary, nowMs);
    return [...verified, ...this.#mounts.silent(this.#canaries.takeBroken(), nowMs)];
  }
}
