// Records of a trace as JSON.
import { FAN_ONDIR } from '../fanotify/abi.ts';
import { pathJson } from '../report/entry-json.ts';
import { type JsonObject, jsonText } from '../report/json-text.ts';
import { actorJson, RECORD_VERSION } from '../report/record.ts';
import { timeText } from '../report/time-text.ts';
import { eventWords } from '../trace/event-names.ts';
import type { EventRecord, ProcessInfo, TraceRecord } from '../trace/record.ts';

/** One record as one line of JSON, latin1 (one character per byte), without its end. */
export function traceJson(record: TraceRecord): string {
  const head = { v: RECORD_VERSION, type: record.kind, time: timeText(record.timeNs) };
  const text = jsonText(record.kind === 'overflow' ? head : { ...head, ...eventJson(record) });
  return Buffer.from(text).toString('latin1');
}

function eventJson({ mask, path, from, process, parents }: EventRecord): JsonObject {
  return {
    events: eventWords(mask),
    isDirectory: (mask & FAN_ONDIR) === 0 ? undefined : true,
    ...(path === undefined ? {} : pathJson('path', path)),
    ...(from === undefined ? {} : pathJson('from', from)),
    pid: process.pid,
    comm: process.comm,
    actor: actorJson(process.actor),
    parents: parents?.map(parentJson),
  };
}

function parentJson({ pid, comm, actor: { exe } }: ProcessInfo): JsonObject {
  return { pid, comm, exe };
}
