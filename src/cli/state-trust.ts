// The baseline says what is right: nobody but root and the running user may be able to change it, or to move it.
import { lstatSync, type Stats } from 'node:fs';
import { assertTrusted, distrustOf } from '../config/trusted-path.ts';
import { AppError, errorCode } from '../domain/errors.ts';
import { type BytePath, dirOf, pathToBytes } from '../domain/path.ts';

/** The database, what SQLite keeps beside it, lock and control socket. */
export const STATE_SUFFIXES = ['', '-wal', '-shm', '-journal', '.lock', '.sock'] as const;

/**
 * Throws BASELINE_UNTRUSTED when others could have changed what lies there, or replaced the directory. What is missing or cannot
 * be looked at is left to whoever opens it. In a sticky directory others can still make names that do not exist yet: ask again
 * when they do.
 */
export function assertStateTrusted(baseline: BytePath): void {
  assertDirectoryTrusted(dirOf(baseline), 'BASELINE_UNTRUSTED');
  for (const suffix of STATE_SUFFIXES) assertFileTrusted(`${baseline}${suffix}` as BytePath);
}

/** A directory that exists; sticky ones such as /tmp are good enough, what lies in them is judged by itself. */
export function assertDirectoryTrusted(dir: BytePath, code: 'BASELINE_UNTRUSTED' | 'CANNOT_CREATE'): void {
  try {
    assertTrusted(dir, 'state directory', { code, isDirectory: true });
  } catch (error) {
    if (error instanceof AppError && error.code === code && errorCode(error.cause) === undefined) throw error;
  }
}

export function assertFileTrusted(path: BytePath): void {
  const stats = statOf(path);
  // A link at the baseline itself is refused by whoever opens it, with the rest of what is no regular file.
  const distrust = stats === undefined ? undefined : distrustOf(path, stats, process.geteuid?.() ?? 0, false);
  if (distrust === undefined) return;
  throw new AppError('BASELINE_UNTRUSTED', `baseline cannot be trusted: ${distrust.problem}`, {
    hint: distrust.hint,
  });
}

function statOf(path: BytePath): Stats | undefined {
  try {
    return lstatSync(pathToBytes(path));
  } catch {
    // Whoever opens it says what is wrong.
    return undefined;
  }
}
