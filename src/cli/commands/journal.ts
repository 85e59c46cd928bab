// driftline journal: what was observed and done.
import { AppError } from '../../domain/errors.ts';
import { recordText } from '../../report/record-text.ts';
import { type Context, loadContext } from '../context.ts';
import { openState } from '../state.ts';

export interface JournalArguments {
  readonly since: string | undefined;
  readonly verify: boolean;
  readonly json: boolean;
}

export async function runJournal(context: Context, { since, verify, json }: JournalArguments): Promise<number> {
  const sinceMs = since === undefined ? undefined : parseSince(since, Date.now());
  const { settings } = await loadContext(context);
  const store = openState(settings, 'read');
  try {
    if (verify) return verifyJournal(context, store.journal.firstBroken(), json);
    for (const { record } of store.journal.read(sinceMs)) {
      context.output.data(json ? `${record}\n` : `${recordText(record, { colour: context.output.colour })}\n`);
    }
    return 0;
  } finally {
    store.close();
  }
}

function verifyJournal({ output }: Context, broken: number | undefined, json: boolean): number {
  if (json)
    output.data(`${JSON.stringify({ v: 1, type: 'journal-verify', ok: broken === undefined, firstBroken: broken })}\n`);
  if (broken === undefined) {
    output.note('journal: the chain is whole');
    return 0;
  }
  throw new AppError('BASELINE_UNTRUSTED', `journal: record ${broken} does not fit the chain`, {
    hint: 'records were changed, removed or damaged from there on',
  });
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `2h` (ago) or any date that Date understands, e.g. `2026-11-21` or `2026-11-21T08:00:00Z`; milliseconds since the epoch. */
export function parseSince(text: string, nowMs: number): number {
  const ago = /^(\d+)([smhd])$/.exec(text);
  const ms = ago === null ? Date.parse(text) : nowMs - Number(ago[1]) * (UNITS_MS[ago[2] ?? ''] ?? 0);
  if (!Number.isNaN(ms)) return ms;
  throw new AppError('USAGE', `--since ${text}: neither a date nor a time span`, {
    hint: 'for example 2h, 7d, 2026-11-21',
  });
}
