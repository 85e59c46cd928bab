// What was replaced by something equal, as a package manager or rsync(1) does it: no drift, but an inode that nobody knows.
import type { Entry } from '../domain/entry.ts';
import type { BytePath } from '../domain/path.ts';
import type { InodeNames } from './inode-names.ts';

export type NotesReplaced = Pick<InodeNames, 'moment' | 'noteReplaced' | 'hasChangedSince'>;

/** For what is read since the moment; `doubt`: it may have changed under another name after that. */
export function whenReplaced(
  names: NotesReplaced,
  moment: number,
  doubt: (path: BytePath) => void,
): (entry: Entry) => void {
  return (entry) => {
    if (names.noteReplaced(entry) && names.hasChangedSince(entry, moment)) doubt(entry.path);
  };
}
