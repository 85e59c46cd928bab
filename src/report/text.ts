// `--format text`, the default: for a person at a terminal or in a mail.
import type { DriftKind, DriftRecord, Severity } from '../domain/drift.ts';
import type { Entry } from '../domain/entry.ts';
import { incompleteText } from '../domain/entry.ts';
import { escapePath, escapeText } from '../domain/escape.ts';
import { actorsText } from './actor-text.ts';
import { attributeChanges, attributeText } from './attribute-text.ts';
import { coverageLine } from './coverage-text.ts';
import type { CheckSummary, QuickTrust, Report, ReportOptions } from './format.ts';
import { byteText, countText, durationText, pluralText } from './quantity.ts';
import { timeTextMs } from './time-text.ts';

export function textReport(options: ReportOptions): Report {
  return {
    begin: () => '',
    drift: (record) => `${[driftLine(record, options), ...detailLines(record)].join('\n')}\n`,
    incomplete: ({ path, errno }) =>
      `${paint('UNREADABLE', RED, options)}  ${escapePath(path)}  ${incompleteText(errno)}\n`,
    end: (summary) => `${[summaryText(summary), ...summary.coverage.map(coverageLine)].join('\n')}\n`,
  };
}

/** `CHANGED  critical  /etc/passwd  digest size  by useradd(812) uid 0`, one line without its newline. */
export function driftLine(record: DriftRecord, options: ReportOptions): string {
  const actor = actorsText(record.actors);
  return driftWords(
    {
      kind: record.kind,
      severity: record.severity,
      path: escapePath(record.path),
      from: record.from === undefined ? undefined : escapePath(record.from),
      entries: record.entries,
      changed: record.changed,
      actor,
      isAccepted: record.accepted !== undefined,
    },
    options,
  );
}

/** What a line about a drift says; all texts are escaped. */
export interface DriftWords {
  readonly kind: DriftKind;
  readonly severity: Severity;
  readonly path: string;
  readonly from: string | undefined;
  readonly entries: number | undefined;
  readonly changed: readonly string[];
  readonly actor: string | undefined;
  /** It became the baseline at once. */
  readonly isAccepted: boolean;
}

export function driftWords(words: DriftWords, options: ReportOptions): string {
  const { kind, severity, path, from, entries, changed, actor, isAccepted } = words;
  const parts = [
    paint(kind.toUpperCase().padEnd(7), KIND_COLOURS[kind], options),
    severity === 'critical' ? paint('critical', BOLD, options) : severity.padEnd(8),
    from === undefined ? path : `${from} -> ${path}`,
    entries === undefined || entries === 0 ? '' : `with ${pluralText(entries, 'entry', 'entries')}`,
    changed.map(escapeText).join(' '),
    actor === undefined ? '' : `by ${actor}`,
    isAccepted ? '(accepted)' : '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

const RED = 31;
const BOLD = 1;
const KIND_COLOURS: Readonly<Record<DriftKind, number>> = { added: 32, removed: RED, changed: 33, moved: 36 };

/** Select Graphic Rendition, console_codes(4). */
function paint(text: string, colour: number, { colour: isOn }: ReportOptions): string {
  return isOn ? `\x1b[${colour}m${text}\x1b[0m` : text;
}

function detailLines(record: DriftRecord): string[] {
  const { changed, before, after } = record;
  if (before === undefined || after === undefined) {
    const entry = before ?? after;
    return entry === undefined ? [] : [`    ${entryText(entry)}`];
  }
  const changes = attributeChanges(changed, before, after);
  const width = Math.max(0, ...changes.map(({ name }) => name.length));
  return changes.map((change) => `    ${change.name.padEnd(width)}  ${change.before} -> ${change.after}`);
}

/** `file 0644 0:0 1,234 bytes`, for what has only one side. */
function entryText(entry: Entry): string {
  const size = entry.type === 'file' ? ` ${countText(Number(entry.sizeBytes))} bytes` : '';
  const target = entry.target === undefined ? '' : ` -> ${attributeText(entry, 'target')}`;
  return `${entry.type} ${attributeText(entry, 'mode')} ${entry.uid}:${entry.gid}${size}${target}`;
}

/** `quick: 96 entries not read, because their stat is as on ...` */
export function trustText({ trusted, by, sinceMs }: QuickTrust): string {
  const why = by === 'watch' ? 'a watch has missed nothing since' : 'their stat is as on';
  return `quick: ${pluralText(trusted, 'entry', 'entries')} not read, because ${why} ${timeTextMs(sinceMs)}`;
}

/** `no drift: 12,345 entries, 1.2 GiB in 0.8 s`, or the counts and how to accept them. */
export function summaryText(summary: CheckSummary): string {
  const { added, removed, changed, moved, incomplete, quick, entries, bytes, startMs, endMs } = summary;
  const total = added + removed + changed + moved;
  const counts = Object.entries({ added, removed, changed, moved }).filter(([, count]) => count > 0);
  const kinds = counts.map(([kind, count]) => `${countText(count)} ${kind}`).join(', ');
  const drift = total === 0 ? 'no drift' : `${pluralText(total, 'drift')} (${kinds})`;
  const unread = incomplete === 0 ? '' : `, ${countText(incomplete)} not readable`;
  const work = `${pluralText(entries, 'entry', 'entries')}, ${byteText(bytes)} in ${durationText(endMs - startMs)}`;
  const first = `${drift}${unread}: ${work}${quick === undefined ? '' : `, ${trustText(quick)}`}`;
  return total === 0 ? first : `${first}\naccept all of it: driftline accept --report ${escapeText(summary.reportId)}`;
}
