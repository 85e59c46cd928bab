// What the responder's thread tells the kernel, and how often it said why.
import { constants } from 'node:os';
import { SystemError } from '../../domain/errors.ts';
import { closeFd } from '../../libc/handle.ts';
import { FAN_ALLOW } from '../abi.ts';
import { type AuditRule, plainVerdict, type Verdict, writeResponse } from '../response.ts';
import { COUNTS, type ResponderCount, type ResponderSettings } from './messages.ts';

export interface Answer {
  readonly verdict: Verdict;
  readonly auditRule: AuditRule | undefined;
}

export class Answers {
  readonly failure: Answer;
  readonly #settings: ResponderSettings;
  readonly #counts: BigInt64Array;
  readonly #onRefused: (errno: number, verdict: Verdict) => void;

  constructor(settings: ResponderSettings, onRefused: (errno: number, verdict: Verdict) => void) {
    this.failure = { verdict: settings.failureVerdict, auditRule: undefined };
    this.#settings = settings;
    this.#counts = new BigInt64Array(settings.counts);
    this.#onRefused = onRefused;
  }

  giveAndClose(fd: number, answer: Answer, reason: ResponderCount): void {
    this.give(fd, answer, reason);
    closeFd(fd);
  }

  /** The kernel knows the event by `fd`: it must be open until here, or its number could be that of another event. */
  give(fd: number, { verdict, auditRule }: Answer, reason: ResponderCount): void {
    const { groupFd, audit } = this.#settings;
    const isAudited = audit === 'all' || (audit === 'denied' && plainVerdict(verdict) !== FAN_ALLOW);
    this.count(reason);
    try {
      writeResponse(groupFd, fd, verdict, { audit: isAudited && (auditRule ?? true) });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      // ENOENT: nobody waits any more.
      if (error.errno === constants.errno.ENOENT) return;
      if (error.errno !== constants.errno.EINVAL) throw error;
      this.#onRefused(error.errno, verdict);
      writeResponse(groupFd, fd, plainVerdict(verdict) ?? this.#settings.failureVerdict, { audit: isAudited });
    }
  }

  count(reason: ResponderCount): void {
    Atomics.add(this.#counts, COUNTS.indexOf(reason), 1n);
  }
}
