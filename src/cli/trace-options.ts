// The options of `driftline trace`, as a table.
import type { OptionRow } from './option-row.ts';

const option = (flags: string, kind: OptionRow['kind'], description: string): OptionRow => ({
  flags,
  kind,
  description,
});

export const TRACE_OPTIONS: readonly OptionRow[] = [
  option(
    '-e, --events <list>',
    'list',
    'only these, e.g. open,close-write; repeatable (default: all but the rare ones)',
  ),
  option('--filesystem', 'flag', 'everything on the filesystems that hold the paths'),
  option('--mount', 'flag', 'what is opened, read, written and closed through the mounts that hold the paths'),
  option('--dir', 'flag', 'the paths themselves and what is directly in them'),
  option('--path <glob>', 'list', 'only what matches, and everything below; repeatable'),
  option('--pid <pid>', 'pids', 'only this process; repeatable'),
  option('--ignore-pid <pid>', 'pids', 'not this process; repeatable'),
  option('-C, --comm <name>', 'list', 'only processes of this name; repeatable'),
  option('--exe <glob>', 'list', 'only programs that match, e.g. /usr/sbin/* or python*; repeatable'),
  option('--user <user>', 'list', 'only processes of this user, by name or number; repeatable'),
  option('-s, --seconds <n>', 'seconds', 'end after so long'),
  option('-n, --count <n>', 'count', 'end after so many events'),
  option('-P, --parents', 'flag', 'show the parents of each process'),
  option('-u, --show-user', 'flag', 'show the user id of each process'),
  option('-t, --timestamp', 'times', 'show the time of day; given twice: seconds since 1970'),
  option('--json', 'flag', 'records, one line of JSON each'),
  option('--format <format>', 'text', 'a line of your own, see below'),
  option('--timefmt <format>', 'text', 'of %T, as strftime(3) has it'),
  option('--no-newline', 'flag', 'nothing after each --format'),
  option('-0, --null', 'flag', 'end each record with NUL, names as they are'),
];

export const TRACE_HELP = `
Without a path every mounted filesystem is traced; with paths, what lies at or below them.

Events:
  access, modify, attrib, close-write, close-nowrite, close, open, create, delete, rename; the rare ones: open-exec,
  moved-from, moved-to, delete-self, move-self, fs-error. All of them: all.

--format:
  %w directory  %f name  %e events  %Xe events separated by X  %o old name of a rename  %p pid  %c comm  %x program
  %u user id  %T time  %0 NUL  %n newline  %% percent. Names are escaped unless a NUL byte ends them.

Exit status: 0 something was shown, 2 nothing was within --seconds (or less than --count).`;
