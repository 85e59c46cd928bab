// driftline trace: live events with their processes.
import { AppError } from '../../domain/errors.ts';
import { pathFromText } from '../../domain/path.ts';
import { missingCapability } from '../../libc/capabilities.ts';
import { formatTime } from '../../libc/time.ts';
import { userIdOf } from '../../libc/users.ts';
import { timeText } from '../../report/time-text.ts';
import { DEFAULT_EVENTS, parseEvents } from '../../trace/event-names.ts';
import { COMM_BYTES, compileFilter, cutComm, type Filter } from '../../trace/filter.ts';
import { compileFormat } from '../../trace/format.ts';
import { compileLine, OVERFLOW_TEXT } from '../../trace/line.ts';
import type { TraceRecord } from '../../trace/record.ts';
import type { MarkKind } from '../../trace/targets.ts';
import { Trace } from '../../trace/trace.ts';
import { argumentPath } from '../argument-path.ts';
import type { Context } from '../context.ts';
import { onInterrupt } from '../interrupt.ts';
import { realPath } from '../real-path.ts';
import { traceJson } from '../trace-json.ts';

export interface TraceOptions {
  readonly paths: readonly string[];
  readonly mount?: boolean;
  readonly filesystem?: boolean;
  readonly dir?: boolean;
  readonly events?: readonly string[];
  readonly pid?: readonly number[];
  readonly ignorePid?: readonly number[];
  readonly comm?: readonly string[];
  readonly exe?: readonly string[];
  readonly user?: readonly string[];
  readonly path?: readonly string[];
  readonly seconds?: number;
  readonly count?: number;
  readonly parents?: boolean;
  readonly showUser?: boolean;
  /** 1: time of day, 2: seconds since the epoch. */
  readonly timestamp?: number;
  readonly json?: boolean;
  readonly format?: string;
  readonly timefmt?: string;
  readonly newline: boolean;
  readonly null?: boolean;
}

/** No event came in time, as inotifywait(1) has it. */
const TIMED_OUT = 2;

/** 0 when something was shown (with a count: all of it), 2 when the time was over before. Throws AppError USAGE first of all. */
export async function runTrace(context: Context, options: TraceOptions): Promise<number> {
  const interrupt = onInterrupt();
  const [kind, print] = [markKind(options), printer(options)];
  const events = options.events === undefined ? DEFAULT_EVENTS : parseEvents(options.events);
  const filter = filterOf(options, context);
  requireCapabilities();
  const paths = options.paths.map((path) => realPath(argumentPath(path, context.startDir), 'trace'));
  const warn = (message: string): void => context.output.warn(`driftline: ${message}`);
  const trace = new Trace({ kind, paths, events, filter, parents: options.parents ?? false, outputFd: 1, warn });
  try {
    context.output.note(`ready: ${trace.marks} ${kind === 'within' ? 'filesystem' : kind} marks`);
    const shown = await show(context, trace, print, options, interrupt.signal);
    const { unknown, unnamed } = trace.leftOut;
    if (unknown > 0) warn(`${unknown} events of processes that were gone too soon to be compared are not shown`);
    if (unnamed > 0) warn(`${unnamed} events of what was gone too soon to be named are not shown`);
    return interrupt.exitCode() ?? (shown >= (options.count ?? 1) || options.seconds === undefined ? 0 : TIMED_OUT);
  } finally {
    trace.close();
    interrupt.dispose();
  }
}

/** Prints until it is interrupted, the time is over or `count` is reached; returns how many events were shown. */
async function show(
  { output }: Context,
  trace: Trace,
  print: (record: TraceRecord) => string,
  { count = Number.POSITIVE_INFINITY, seconds, format }: TraceOptions,
  interrupted: AbortSignal,
): Promise<number> {
  const enough = new AbortController();
  const timer = seconds === undefined ? undefined : setTimeout(() => enough.abort(), seconds * 1000);
  let shown = 0;
  await trace.run(AbortSignal.any([interrupted, enough.signal]), (records) => {
    const lines: string[] = [];
    for (const record of records) {
      if (shown >= count) break;
      if (record.kind === 'event') shown += 1;
      else if (format !== undefined) output.warn(`driftline: ${OVERFLOW_TEXT}`);
      lines.push(print(record));
    }
    output.data(Buffer.from(lines.join(''), 'latin1'));
    if (shown >= count) enough.abort();
  });
  clearTimeout(timer);
  return shown;
}

function requireCapabilities(): void {
  const name = missingCapability();
  if (name === undefined) return;
  throw new AppError('NO_PERMISSION', `cannot trace: ${name} is missing`, {
    hint: 'run as root, or grant CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH and, to name every process, CAP_SYS_PTRACE',
  });
}

function printer(options: TraceOptions): (record: TraceRecord) => string {
  const { json = false, format, timefmt, null: nul = false, timestamp = 0 } = options;
  if (json && format !== undefined) throw new AppError('USAGE', '--json and --format exclude each other');
  if (timefmt !== undefined && format === undefined) throw new AppError('USAGE', '--timefmt goes with --format and %T');
  if (!options.newline && format === undefined) throw new AppError('USAGE', '--no-newline goes with --format');
  const end = nul ? '\0' : options.newline ? '\n' : '';
  const line = json
    ? traceJson
    : format === undefined
      ? lineOf()
      : compileFormat(format, { raw: nul, timeText: timeOf(timefmt) });
  return (record) => line(record) + end;

  function lineOf(): (record: TraceRecord) => string {
    const time = timestamp === 0 ? 'none' : timestamp === 1 ? 'clock' : 'epoch';
    return compileLine({ time, showUser: options.showUser ?? false, raw: nul });
  }
}

/** strftime(3); records' own form of time without a format. The last second's text is kept. */
function timeOf(timefmt: string | undefined): (timeNs: bigint) => string {
  if (timefmt === undefined) return timeText;
  const format = pathFromText(timefmt);
  let [second, text] = [-1n, ''];
  return (timeNs) => {
    if (timeNs / 1_000_000_000n !== second) [second, text] = [timeNs / 1_000_000_000n, formatTime(format, timeNs)];
    return text;
  };
}

function markKind({ mount = false, filesystem = false, dir = false, paths }: TraceOptions): MarkKind {
  const kinds = [
    ...(mount ? ['mount'] : []),
    ...(filesystem ? ['filesystem'] : []),
    ...(dir ? ['dir'] : []),
  ] as MarkKind[];
  if (kinds.length > 1) throw new AppError('USAGE', `--${kinds.join(' and --')} exclude each other`);
  if (dir && paths.length === 0)
    throw new AppError('USAGE', '--dir: a path is missing', { hint: 'driftline trace --dir /srv/www' });
  return kinds[0] ?? 'within';
}

function filterOf(options: TraceOptions, { output }: Context): Filter {
  const { pid = [], ignorePid = [], comm = [], exe = [], user = [], path = [] } = options;
  for (const name of comm) {
    if (cutComm(name) !== name)
      output.warn(`driftline: --comm ${name}: the kernel keeps ${COMM_BYTES} bytes, it is ${cutComm(name)}`);
  }
  return compileFilter({
    paths: path,
    pids: pid,
    ignoredPids: ignorePid,
    comms: comm,
    exes: exe,
    uids: user.map(uidOf),
  });
}

function uidOf(user: string): number {
  const uid = /^\d+$/.test(user) ? Number(user) : userIdOf(user);
  if (uid !== undefined) return uid;
  throw new AppError('USAGE', `--user ${user}: there is no such user`);
}
