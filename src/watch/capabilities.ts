// Whether this process may watch at all; asked first, so that the message can name what is missing.
import { missingCapability } from '../libc/capabilities.ts';
import { withoutCapability } from './groups.ts';

/** Throws AppError NO_PERMISSION naming the first capability that marks and handles need and that is not there. */
export function requireCapabilities(): void {
  const name = missingCapability();
  if (name !== undefined) throw withoutCapability(name);
}
