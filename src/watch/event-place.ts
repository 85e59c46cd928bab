// What an event is about, or that it tells of a loss.
import { constants } from 'node:os';
import { errorCode } from '../domain/errors.ts';
import { FAN_Q_OVERFLOW } from '../fanotify/abi.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import type { ObjectPaths } from '../fanotify/handles.ts';
import { type EventPath, pathsOfEvent } from './event-paths.ts';
import type { Links } from './links.ts';

export interface EventPlace {
  readonly paths: readonly EventPath[];
  /** The inode's key when it may have more names than these in the baseline. */
  readonly link: number | undefined;
}

/** Undefined when events were lost, or this one with its name: the filesystem failed to answer (EIO, an errno of FUSE). */
export function placeOf(event: FanotifyEvent, handles: ObjectPaths, links: Links): EventPlace | undefined {
  if (isLoss(event)) return undefined;
  try {
    // The paths close the event's descriptor.
    const link = event.fd >= 0 ? links.keyOfDescriptor(event.fd) : undefined;
    const paths = pathsOfEvent(event, handles);
    return { paths, link: link ?? links.keyOf(event, paths, handles) };
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** The queue was full; or the event's descriptor could not be opened for want of resources (FAN_REPORT_FD_ERROR). */
function isLoss({ mask, fd }: FanotifyEvent): boolean {
  const { EMFILE, ENFILE, ENOMEM } = constants.errno;
  return (mask & FAN_Q_OVERFLOW) !== 0 || fd === -EMFILE || fd === -ENFILE || fd === -ENOMEM;
}
