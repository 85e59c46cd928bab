// Seeded faults: copies of the program in which something that the watch must do is left out. The rig must notice.
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const REPOSITORY = resolve(import.meta.dirname, '../..');

/** Name -> what is replaced in which source: [file, exact text, replacement]. */
export const FAULTS = {
  /** Lost events are passed over in silence. */
  overflow: [['watch/event-place.ts', 'if (isLoss(event))', 'if (isLoss(event) && false)']],
  /** The filesystem mark tells of nothing but written files that were closed. */
  'close-write': [['watch/marks.ts', 'group.mark(FAN_MARK_FILESYSTEM, filesystemMask,', 'group.mark(FAN_MARK_FILESYSTEM, 0x8,']],
  /** What a mount mark sees, and no more: nothing of names, of other mounts, of other namespaces. */
  mount: [['watch/marks.ts', 'group.mark(FAN_MARK_FILESYSTEM, filesystemMask,', '0 && group.mark(FAN_MARK_FILESYSTEM, filesystemMask,']],
  /** A directory that appears or moves is looked at, but nothing in it. */
  subtree: [
    ['watch/event-paths.ts', 'subtree: isTree', 'subtree: false'],
    ['engine/reconcile.ts', 'else if (becameDirectory(finding))', 'else if (false)'],
  ],
  /** What happened while no watch was running stays unknown. */
  downtime: [['engine/watch.ts', 'await comparisons.catchUp(signal);', '']],
};

/** No fault: from how many bytes on a file is large and read in a lane of its own. Writers make no file of 64 MiB. */
export const largeFrom = (bytes) => [['engine/readings.ts', 'LARGE_BYTES = 64 * 1024 * 1024', `LARGE_BYTES = ${Number(bytes)}`]];

/** The program to run: a copy of the built one, which nobody builds anew meanwhile, perhaps built with a fault and with other edits. */
export function programOf(fault, directory, faults = FAULTS, more = []) {
  const edits = fault === undefined ? more : faults[fault]?.concat(more);
  if (edits === undefined) throw new Error(`--fault ${fault}: one of ${Object.keys(faults).join(', ')}`);
  const copy = join(directory, 'program');
  for (const part of ['dist', 'src', 'package.json']) cpSync(join(REPOSITORY, part), join(copy, part), { recursive: true });
  for (const part of ['node_modules', 'hooks']) symlinkSync(join(REPOSITORY, part), join(copy, part));
  for (const edit of edits) replaceOnce(join(copy, 'src', edit[0]), edit[1], edit[2]);
  if (edits.length > 0) execFileSync(process.execPath, [join(REPOSITORY, 'packaging/bundle.mjs'), copy]);
  return join(copy, 'dist/cli/main.js');
}

/** A fault that was not planted would prove nothing. */
function replaceOnce(file, text, replacement) {
  const parts = readFileSync(file, 'utf8').split(text);
  if (parts.length !== 2) throw new Error(`${file}: ${parts.length - 1} times, not once: ${text}`);
  writeFileSync(file, parts.join(replacement));
}
