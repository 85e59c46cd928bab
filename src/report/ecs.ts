// `--format ecs`: one document of the Elastic Common Schema per line. What ECS has no field for is below `driftline`.
import type { Actor } from '../domain/actor.ts';
import type { DriftKind, DriftRecord, Severity } from '../domain/drift.ts';
import type { Entry, FileType } from '../domain/entry.ts';
import { incompleteText } from '../domain/entry.ts';
import { type BytePath, dirOf, isCleanUtf8, nameOf, pathToBytes, pathToText } from '../domain/path.ts';
import { modeText, pathJson } from './entry-json.ts';
import { flagLetters } from './flag-letters.ts';
import type { CheckSummary, Report, ReportHead } from './format.ts';
import { integerJson, type JsonObject, jsonText } from './json-text.ts';
import { actorJson, coverageJson, driftJson } from './record.ts';
import { timeText, timeTextMs } from './time-text.ts';

const ECS_VERSION = '9.0.0';

export function ecsReport(): Report {
  let startMs = 0;
  return {
    begin: (head: ReportHead) => {
      startMs = head.startMs;
      return '';
    },
    drift: (record) => `${jsonText(driftDocument(record))}\n`,
    incomplete: ({ path, errno }) => `${jsonText(incompleteDocument(path, errno, startMs))}\n`,
    end: (summary) => `${jsonText(checkDocument(summary))}\n`,
  };
}

/** ECS event.type of each kind; `moved` is a change of the name. */
const EVENT_TYPES: Readonly<Record<DriftKind, string>> = {
  added: 'creation',
  removed: 'deletion',
  changed: 'change',
  moved: 'change',
};

/** The numbers that Elastic's own detection rules use for low, medium and critical. */
const SEVERITY_NUMBERS: Readonly<Record<Severity, number>> = { info: 21, normal: 47, critical: 99 };

function driftDocument(record: DriftRecord): JsonObject {
  const { kind, path, severity, before, after } = record;
  const { changed, from, fromBytes, generation, entries, before: beforeJson } = driftJson(record);
  const actor = record.actors.at(-1) ?? { source: 'unknown' };
  return {
    '@timestamp': timeText(record.timeNs),
    ecs: { version: ECS_VERSION },
    event: {
      id: `${record.id}-${record.seq}`,
      kind: severity === 'info' ? 'event' : 'alert',
      category: ['file'],
      type: [EVENT_TYPES[kind]],
      action: kind,
      module: 'driftline',
      dataset: 'driftline.drift',
      severity: SEVERITY_NUMBERS[severity],
    },
    rule: { name: record.rule },
    file: { ...pathFields(path), ...entryFields(after ?? before) },
    ...actorFields(actor),
    driftline: {
      ...bytesField(path),
      id: record.id,
      seq: record.seq,
      severity,
      changed,
      from,
      fromBytes,
      entries,
      generation,
      before: beforeJson,
      actor: actorJson(actor),
    },
  };
}

function pathFields(path: BytePath): JsonObject {
  const name = pathToText(nameOf(path));
  const dot = name.lastIndexOf('.');
  return {
    path: pathToText(path),
    directory: pathToText(dirOf(path)),
    name,
    extension: dot > 0 && dot < name.length - 1 ? name.slice(dot + 1) : undefined,
  };
}

function bytesField(path: BytePath): JsonObject {
  return isCleanUtf8(path) ? {} : { pathBytes: pathToBytes(path).toString('base64') };
}

const FILE_TYPES: Readonly<Record<FileType, string>> = {
  file: 'file',
  directory: 'dir',
  symlink: 'symlink',
  fifo: 'fifo',
  socket: 'socket',
  char: 'char',
  block: 'block',
};

/** ECS wants identifiers as keywords, that is, as texts. */
function entryFields(entry: Entry | undefined): JsonObject {
  if (entry === undefined) return {};
  const { digest, target } = entry;
  return {
    type: FILE_TYPES[entry.type],
    mode: modeText(entry.mode),
    uid: String(entry.uid),
    gid: String(entry.gid),
    size: integerJson(entry.sizeBytes),
    mtime: timeText(entry.mtimeNs),
    ctime: timeText(entry.ctimeNs),
    inode: String(entry.inode),
    target_path: target === undefined ? undefined : pathToText(target),
    attributes: entry.flags === 0 ? undefined : [flagLetters(entry.flags)],
    hash: digest?.algorithm === 'blake3' ? { blake3: Buffer.from(digest.value).toString('hex') } : undefined,
  };
}

function actorFields({ pid, exe, cmdline, uid, loginUid, ppids }: Actor): JsonObject {
  const parent = ppids?.[0];
  const process = {
    pid,
    executable: exe,
    name: exe?.slice(exe.lastIndexOf('/') + 1),
    args: cmdline,
    args_count: cmdline?.length,
    parent: parent === undefined ? undefined : { pid: parent },
  };
  return {
    process: pid === undefined && exe === undefined ? undefined : process,
    user:
      uid === undefined
        ? undefined
        : { id: String(uid), audit: loginUid === undefined ? undefined : { id: String(loginUid) } },
  };
}

function incompleteDocument(path: BytePath, errno: number, startMs: number): JsonObject {
  return {
    '@timestamp': timeTextMs(startMs),
    ecs: { version: ECS_VERSION },
    event: {
      kind: 'event',
      category: ['file'],
      type: ['error'],
      action: 'read',
      outcome: 'failure',
      module: 'driftline',
      dataset: 'driftline.incomplete',
    },
    error: { code: incompleteText(errno) },
    file: pathFields(path),
    driftline: { ...pathJson('path', path), incomplete: incompleteText(errno) },
  };
}

function checkDocument(summary: CheckSummary): JsonObject {
  const { added, removed, changed, moved, incomplete, entries, bytes, exitCode, generation, quick, reportId } = summary;
  return {
    '@timestamp': timeTextMs(summary.endMs),
    ecs: { version: ECS_VERSION },
    event: {
      kind: 'event',
      category: ['file'],
      type: ['info'],
      action: 'check',
      outcome: incomplete === 0 ? 'success' : 'failure',
      start: timeTextMs(summary.startMs),
      end: timeTextMs(summary.endMs),
      // ECS: nanoseconds.
      duration: (summary.endMs - summary.startMs) * 1_000_000,
      module: 'driftline',
      dataset: 'driftline.check',
    },
    driftline: {
      check: {
        entries,
        bytes,
        added,
        removed,
        changed,
        moved,
        incomplete,
        exitCode,
        generation,
        quick: quick !== undefined,
        ...(quick !== undefined && { trusted: quick.trusted, trustedSince: timeTextMs(quick.sinceMs) }),
        report: reportId,
        coverage: summary.coverage.map(coverageJson),
      },
    },
  };
}
