// Whether this process may watch at all; asked first, so that the message can name what is missing.
import { readStart } from '../libc/read.ts';
import { missingCapability } from './groups.ts';

/** linux/capability.h */
const CAP_DAC_READ_SEARCH = 2n;
const CAP_SYS_ADMIN = 21n;

/** Throws AppError NO_PERMISSION naming the first capability that marks and handles need and that is not there. */
export function requireCapabilities(
  status: string | undefined = readStart('/proc/self/status', Buffer.alloc(8192)),
): void {
  const hex = /^CapEff:\s+([0-9a-f]+)$/m.exec(status ?? '')?.[1];
  if (hex === undefined) return;
  const effective = BigInt(`0x${hex}`);
  if ((effective & (1n << CAP_SYS_ADMIN)) === 0n) throw missingCapability('CAP_SYS_ADMIN');
  if ((effective & (1n << CAP_DAC_READ_SEARCH)) === 0n) throw missingCapability('CAP_DAC_READ_SEARCH');
}
