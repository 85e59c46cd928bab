// What the kernel may refuse, and what goes on without it.
import { errorCode } from '../domain/errors.ts';

/** False when the kernel refuses, in whatever way: then there is no cgroup, and the process group has to do. */
export function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
