// What a hook is told: names and records on standard input, numbers and plain words in the environment. Names of files
// never go into arguments or the environment.
import { SEVERITIES } from '../domain/drift.ts';
import { escapePath, escapeText } from '../domain/escape.ts';
import { type BytePath, pathFromBytes, pathFromText } from '../domain/path.ts';
import type { HookInput, HookSettings } from '../domain/settings.ts';
import type { HookBatch } from '../engine/ports/outbox.ts';
import { plainWord } from './plain-word.ts';

/** Standard input and DRIFTLINE_* of one run; the settings of the hook itself are added by the runner. */
export function hookPayload(
  hook: HookSettings,
  batch: HookBatch,
  runId: string,
): { readonly input: Uint8Array; readonly environment: Readonly<Record<string, string>> } {
  return { input: hookInput(batch, hook.stdin), environment: hookEnvironment(batch, runId) };
}

/** The bytes for standard input. */
function hookInput(batch: HookBatch, input: HookInput): Uint8Array {
  switch (input) {
    case 'paths0':
      return paths0(batch);
    case 'moves0':
      return batch.paths.length === 0 ? new Uint8Array(0) : Buffer.concat([moves0(batch), paths0(batch)]);
    case 'ndjson':
      return terminated(batch.records, '\n', 'utf8');
    case 'text':
      return terminated(batch.records.map(factsOf).map(describe), '\n', 'utf8');
    case 'none':
      return new Uint8Array(0);
  }
}

function paths0({ paths }: HookBatch): Uint8Array {
  return terminated([...new Set(paths)].sort(), '\0', 'latin1');
}

function moves0({ records }: HookBatch): Uint8Array {
  return terminated([...records.flatMap(movedNames), ''], '\0', 'latin1');
}

/** Old and new name. */
function movedNames(line: string): BytePath[] {
  const { kind, from, path } = factsOf(line);
  return kind === 'moved' && from !== undefined ? [from, path] : [];
}

/** DRIFTLINE_* of a run. ASCII: characters of rule names beyond it are percent-encoded, as spaces are. */
function hookEnvironment(batch: HookBatch, runId: string): Record<string, string> {
  const facts = batch.records.map(factsOf);
  const count = (kind: string): string => String(facts.filter((fact) => fact.kind === kind).length);
  const rules = [...new Set(facts.map((fact) => fact.rule))].filter((rule) => rule !== '').sort();
  return {
    DRIFTLINE_HOOK: plainWord(batch.hook),
    DRIFTLINE_RUN_ID: runId,
    DRIFTLINE_KEY: batch.key,
    DRIFTLINE_ATTEMPT: String(batch.attempts + 1),
    DRIFTLINE_PATHS: String(batch.paths.length),
    DRIFTLINE_DRIFTS: String(facts.filter((fact) => fact.kind !== 'resolved').length),
    DRIFTLINE_ADDED: count('added'),
    DRIFTLINE_REMOVED: count('removed'),
    DRIFTLINE_CHANGED: count('changed'),
    DRIFTLINE_MOVED: count('moved'),
    DRIFTLINE_RESOLVED: count('resolved'),
    DRIFTLINE_SEVERITY: highestSeverity(facts),
    DRIFTLINE_RULES: rules.map(plainWord).join(' '),
  };
}

function terminated(items: readonly string[], end: string, encoding: 'latin1' | 'utf8'): Uint8Array {
  return items.length === 0 ? new Uint8Array(0) : Buffer.from(items.join(end) + end, encoding);
}

/** What of a drift record (design: Records) matters here; a field that is missing or of another type is empty. */
interface Facts {
  readonly kind: string;
  readonly severity: string;
  readonly rule: string;
  readonly path: BytePath;
  readonly from: BytePath | undefined;
  readonly entries: number | undefined;
  readonly changed: readonly string[];
  readonly actor: RawActor;
}

/** Everything is unknown until it is looked at. */
interface RawRecord {
  readonly type?: unknown;
  readonly kind?: unknown;
  readonly severity?: unknown;
  readonly rule?: unknown;
  readonly path?: unknown;
  readonly pathBytes?: unknown;
  readonly from?: unknown;
  readonly fromBytes?: unknown;
  readonly entries?: unknown;
  readonly changed?: unknown;
  readonly actor?: unknown;
}

interface RawActor {
  readonly pid?: unknown;
  readonly exe?: unknown;
  readonly uid?: unknown;
  readonly loginUid?: unknown;
}

function factsOf(line: string): Facts {
  const record: RawRecord = objectOf(parseJson(line));
  return {
    // `resolved` is a type of record, not a kind of drift.
    kind: record.type === 'resolved' ? 'resolved' : textOf(record.kind),
    severity: textOf(record.severity),
    rule: textOf(record.rule),
    path: pathOf(record.path, record.pathBytes) ?? pathFromText('?'),
    from: pathOf(record.from, record.fromBytes),
    entries: typeof record.entries === 'number' ? record.entries : undefined,
    changed: Array.isArray(record.changed) ? record.changed.map(textOf) : [],
    actor: objectOf(record.actor),
  };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A line that is no JSON still stands for a drift: it is counted and shown without its details.
    return undefined;
  }
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `bytes` (base64) is there when the path is not clean UTF-8. */
function pathOf(text: unknown, bytes: unknown): BytePath | undefined {
  if (typeof bytes === 'string') return pathFromBytes(Buffer.from(bytes, 'base64'));
  return typeof text === 'string' ? pathFromText(text) : undefined;
}

/** `critical changed /etc/passwd (digest size mtime) by /usr/sbin/useradd (pid 812, uid 0, login 1000)` */
function describe(facts: Facts): string {
  const path =
    facts.from === undefined ? escapePath(facts.path) : `${escapePath(facts.from)} -> ${escapePath(facts.path)}`;
  const changed = facts.changed.length === 0 ? '' : ` (${escapeText(facts.changed.join(' '))})`;
  const entries = facts.entries === undefined ? '' : ` (${facts.entries} entries)`;
  if (facts.kind === 'resolved') return `resolved ${path}, as in the baseline again`;
  const words = [facts.severity, facts.kind].map((word) => escapeText(word === '' ? 'unknown' : word));
  return `${words.join(' ')} ${path}${changed}${entries}${describeActor(facts.actor)}`;
}

function describeActor(actor: RawActor): string {
  const ids = Object.entries({ pid: actor.pid, uid: actor.uid, login: actor.loginUid });
  const known = ids.filter(([, id]) => typeof id === 'number').map((pair) => pair.join(' '));
  const exe = textOf(actor.exe);
  if (exe === '' && known.length === 0) return '';
  const program = exe === '' ? 'an unknown program' : escapeText(exe);
  return ` by ${program}${known.length === 0 ? '' : ` (${known.join(', ')})`}`;
}

function highestSeverity(facts: readonly Facts[]): string {
  const found = SEVERITIES.filter((severity) => facts.some((fact) => fact.severity === severity));
  return found.at(-1) ?? 'normal';
}
