// Groups whose events carry descriptors, on kernels old and new.
import { SystemError } from '../domain/errors.ts';
import { FAN_CLASS_NOTIF, FAN_REPORT_FD_ERROR } from './abi.ts';
import { FanotifyGroup } from './group.ts';

/** Events that fail to open their object are lost without a trace before FAN_REPORT_FD_ERROR: read few at a time. */
const FEW_EVENTS_BYTES = 64 * 24;

/** A group whose events carry descriptors, with FAN_REPORT_FD_ERROR where the kernel has it (6.13). Throws SystemError. */
export function openFdGroup(flags: number = FAN_CLASS_NOTIF): FanotifyGroup {
  try {
    return FanotifyGroup.open({ flags: flags | FAN_REPORT_FD_ERROR });
  } catch (error) {
    if (!(error instanceof SystemError && error.code === 'EINVAL')) throw error;
    return FanotifyGroup.open({ flags: flags & ~FAN_REPORT_FD_ERROR, bufferBytes: FEW_EVENTS_BYTES });
  }
}
