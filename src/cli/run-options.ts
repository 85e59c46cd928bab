// The options of `driftline run`, as a table.
import { RUN_INPUTS } from '../hooks/run-payload.ts';
import type { OptionRow } from './option-row.ts';

export const RUN_OPTIONS: readonly OptionRow[] = [
  {
    flags: '--quiet <time>',
    kind: 'duration',
    description: 'run when nothing has changed for so long (default: 200ms)',
  },
  {
    flags: '--deadline <time>',
    kind: 'duration',
    description: 'run at the latest so long after a change (default: 5s)',
  },
  {
    flags: '--on-busy <policy>',
    kind: 'text',
    choices: ['queue', 'skip', 'restart'],
    value: 'queue',
    description: 'changes while the command runs: once more afterwards for all of them, not at all, or start anew',
  },
  { flags: '--initial', kind: 'flag', description: 'run once at the start, with no names' },
  { flags: '--once', kind: 'flag', description: "end after the first run, with the command's exit status" },
  {
    flags: '--ignore <pattern>',
    kind: 'list',
    description: '/path, a name such as *.swp, a glob of a path; repeatable',
  },
  {
    flags: '--stdin <form>',
    kind: 'text',
    choices: RUN_INPUTS,
    value: 'paths0',
    description: 'names that changed: each ended by NUL, or by a newline; none',
  },
  { flags: '--timeout <time>', kind: 'duration', description: 'end a run that takes longer (default: never)' },
  {
    flags: '--marks <kind>',
    kind: 'text',
    choices: ['auto', 'mount'],
    value: 'auto',
    description: 'mount: only what is written, as through `marks: mount`',
  },
];

export const RUN_HELP = `
Runs the command when something at or below the paths changes, with the absolute names of it on standard input. It keeps its
environment, directory and output; DRIFTLINE_PATHS is the number of names. What the command itself does starts nothing, nor
does rewriting a file with the same bytes.

--quiet takes a time here; -q is the global option: only warnings and errors.

Exit status: with --once that of the command (128 + n after signal n, 124 after --timeout); 0 after SIGTERM, 130 after SIGINT;
127 when there is no such command, 126 when it cannot be executed, before anything is watched.`;
