// Answers to permission events: struct fanotify_response of fanotify(7), "Dealing with permission events".
import { constants } from 'node:os';
import { SystemError } from '../domain/errors.ts';
import { writeRequest } from '../libc/write.ts';
import { FAN_ALLOW, FAN_AUDIT, FAN_DENY, FAN_INFO, FAN_RESPONSE_INFO_AUDIT_RULE } from './abi.ts';

/** What a waiting process is told: FAN_ALLOW, FAN_DENY (it sees EPERM) or FAN_DENY_ERRNO(...). */
export type Verdict = number;

/** The errnos that Linux 6.18 lets a process see instead of EPERM. */
export type DenyErrno = 'EPERM' | 'EIO' | 'EBUSY' | 'ETXTBSY' | 'EAGAIN' | 'ENOSPC' | 'EDQUOT';

/** Fields of the kernel's audit record (FANOTIFY event); trust: 0 no, 1 yes, 2 unknown. */
export interface AuditRule {
  /** Unsigned, 32 bits: which rule of the consumer's policy led to the verdict. */
  readonly ruleNumber: number;
  readonly subjectTrust: 0 | 1 | 2;
  readonly objectTrust: 0 | 1 | 2;
}

export interface ResponseOptions {
  /** Write an audit record, with a rule since Linux 6.3; needs a group with FAN_ENABLE_AUDIT. Default false. */
  readonly audit?: boolean | AuditRule;
}

const RESPONSE_BYTES = 8;
/** struct fanotify_response_info_audit_rule: u8 type, u8 pad, u16 len, u32 rule_number, u32 subj_trust, u32 obj_trust. */
const AUDIT_RULE_BYTES = 16;
const ERRNO_SHIFT = 24;

/** Denies with an errno of choice: Linux 6.14, groups of FAN_CLASS_PRE_CONTENT only; EINVAL at the answer elsewhere. */
export function FAN_DENY_ERRNO(errno: DenyErrno): Verdict {
  return FAN_DENY | (constants.errno[errno] << ERRNO_SHIFT);
}

/**
 * Answers the event with descriptor `fd` on the group `groupFd`; does not close `fd`. Throws SystemError: EINVAL (the
 * event stays unanswered and can be answered again), ENOENT when nobody waits for this answer.
 */
export function writeResponse(groupFd: number, fd: number, verdict: Verdict, options: ResponseOptions = {}): void {
  try {
    writeRequest(groupFd, encodeResponse(fd, verdict, options));
  } catch (error) {
    throw error instanceof SystemError ? new SystemError(error.syscall, error.errno, hintOf(error.code)) : error;
  }
}

/** The bytes of one response: 8, or 24 with an audit rule. */
export function encodeResponse(fd: number, verdict: Verdict, { audit = false }: ResponseOptions = {}): Buffer {
  const rule = typeof audit === 'object' ? audit : undefined;
  const bytes = Buffer.alloc(RESPONSE_BYTES + (rule === undefined ? 0 : AUDIT_RULE_BYTES));
  const flags = (audit === false ? 0 : FAN_AUDIT) | (rule === undefined ? 0 : FAN_INFO);
  bytes.writeInt32LE(fd, 0);
  bytes.writeUInt32LE((verdict | flags) >>> 0, 4);
  if (rule !== undefined) writeAuditRule(bytes, rule);
  return bytes;
}

function writeAuditRule(bytes: Buffer, rule: AuditRule): void {
  bytes.writeUInt8(FAN_RESPONSE_INFO_AUDIT_RULE, RESPONSE_BYTES);
  bytes.writeUInt16LE(AUDIT_RULE_BYTES, RESPONSE_BYTES + 2);
  bytes.writeUInt32LE(rule.ruleNumber, RESPONSE_BYTES + 4);
  bytes.writeUInt32LE(rule.subjectTrust, RESPONSE_BYTES + 8);
  bytes.writeUInt32LE(rule.objectTrust, RESPONSE_BYTES + 12);
}

/** The verdict without errno: what a kernel or a group that refuses the errno can still be told; undefined for no verdict. */
export function plainVerdict(verdict: Verdict): Verdict | undefined {
  const plain = verdict & ((1 << ERRNO_SHIFT) - 1);
  return plain === FAN_ALLOW || plain === FAN_DENY ? plain : undefined;
}

const HINTS: Readonly<Record<string, string>> = {
  EINVAL:
    'an errno needs FAN_CLASS_PRE_CONTENT and Linux 6.14, an audit record FAN_ENABLE_AUDIT, its rule Linux 6.3; ' +
    'an event without a descriptor was denied by the kernel itself',
  ENOENT: 'the event was answered already, or came from another group',
};

function hintOf(code: string): { readonly hint?: string } {
  const hint = HINTS[code];
  return hint === undefined ? {} : { hint };
}
