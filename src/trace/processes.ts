// Who did it: process, program and user, also of processes that are gone. What starts comes in the same queue as what is
// traced, so that an event is never blamed on a program that the process executed only afterwards: a shell that writes a
// file and then executes its last command (fork(2) is saved) has one pid and two programs.

import type { Actor } from '../domain/actor.ts';
import { pathFromText } from '../domain/path.ts';
import { type Actors, PROC_IN_DETAIL, trackActors } from '../fanotify/actors/actors.ts';
import type { ProcessInfo as Known } from '../fanotify/actors/known.ts';
import { readImage, textOf } from '../fanotify/actors/proc.ts';
import { cutComm } from './filter.ts';
import type { ProcessInfo } from './record.ts';

/** Fed in the order of the queue; bounded. */
export class Processes {
  readonly #actors: Actors = trackActors(PROC_IN_DETAIL);
  /** By the actor, which is the same object for as long as nothing new was learnt of the process. */
  readonly #infos = new WeakMap<object, ProcessInfo>();
  readonly #elsewhere: (pid: number) => Known | undefined;
  #hasNews = false;

  /** `elsewhere`: asked about processes of which this queue and /proc know nothing. */
  constructor(elsewhere: (pid: number) => Known | undefined) {
    this.#elsewhere = elsewhere;
  }

  /** The process has begun to execute a program, latin1. */
  execed(pid: number, exe: string): void {
    // What it executed before holds for all events up to here.
    if (this.#hasNews) this.#settle(Date.now());
    this.#actors.execed(pid, exe);
    this.#hasNews = true;
  }

  /** The program has begun to load its libraries: its command line is in place. */
  loading(pid: number): void {
    this.#actors.loading(pid);
    this.#hasNews = true;
  }

  #settle(nowMs: number): void {
    this.#actors.settle(nowMs);
    this.#hasNews = false;
  }

  /** To be asked in the order of the queue. */
  infoOf(pid: number, nowMs: number): ProcessInfo {
    if (this.#hasNews) this.#settle(nowMs);
    const here = this.#actors.processOf(pid, nowMs);
    const { actor, comm } = here.actor.pid === undefined ? (this.#elsewhere(pid) ?? here) : here;
    if (actor.pid === undefined) return { pid, comm: undefined, actor };
    let info = this.#infos.get(actor);
    if (info === undefined) {
      info = { pid, comm: comm === undefined ? undefined : nameOf(textOf(comm), pid, actor), actor };
      this.#infos.set(actor, info);
    }
    return info;
  }

  /** Nearest first. */
  parentsOf({ actor }: ProcessInfo, nowMs: number): ProcessInfo[] {
    return (actor.ppids ?? []).map((pid) => this.infoOf(pid, nowMs));
  }
}

/**
 * The name, unless it is that of a program which the process executed after `exe` was read: it has to be the program's or a
 * word of its command line (a link, a script), or the process must still execute `exe` and have taken that name.
 */
function nameOf(comm: string, pid: number, { exe, cmdline = [] }: Actor): string {
  if (exe === undefined) return comm;
  const isOwn = [exe, ...cmdline].some((word) => programName(word) === comm);
  return isOwn || readImage(pid).exe === pathFromText(exe) ? comm : programName(exe);
}

function programName(word: string): string {
  return cutComm(word.slice(word.lastIndexOf('/') + 1));
}
