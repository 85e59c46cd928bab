// What goes over the control socket: one line of JSON there, one line back. Both ends parse what they get as unknown.
import type { Actor } from '../domain/actor.ts';
import { AppError, type AppErrorCode, errorMessage } from '../domain/errors.ts';
import { type BytePath, pathFromLatin1 } from '../domain/path.ts';
import type { AcceptRequest } from '../engine/accept.ts';
import type { HookErrand } from '../engine/hook-errand.ts';

export type ControlRequest =
  | { readonly op: 'status' }
  /** What may differ from the baseline; `scope`: by which rules (quick-answer.ts). */
  | { readonly op: 'quick'; readonly scope: string }
  | { readonly op: 'accept'; readonly request: AcceptRequest }
  | { readonly op: 'hook'; readonly errand: HookErrand };

/** A line longer than this is nobody's honest request. */
export const LINE_MAX_BYTES = 64 * 1024 * 1024;

export function encodeRequest(request: ControlRequest): string {
  if (request.op === 'status' || request.op === 'quick') return JSON.stringify({ v: 1, ...request });
  if (request.op === 'hook') return JSON.stringify({ v: 1, op: 'hook', ...request.errand });
  const { paths, report, reviewed, by } = request.request;
  return JSON.stringify({
    v: 1,
    op: 'accept',
    paths,
    report: report ?? null,
    reviewed: reviewed === undefined ? null : [...reviewed],
    by,
  });
}

export function parseRequest(line: string): ControlRequest {
  const value = parseJson(line);
  if (!isRecord(value)) throw malformed();
  if (value['op'] === 'status') return { op: 'status' };
  if (value['op'] === 'hook') return { op: 'hook', errand: parseErrand(value) };
  if (value['op'] === 'quick') return { op: 'quick', scope: String(value['scope']) };
  if (value['op'] !== 'accept') throw malformed();
  const { paths, report, reviewed, by } = value;
  if (!Array.isArray(paths) || !(report === null || typeof report === 'string')) throw malformed();
  return {
    op: 'accept',
    request: {
      paths: paths.map(parsePath),
      report: report ?? undefined,
      reviewed: parseReviewed(reviewed),
      by: parseActor(by),
    },
  };
}

function parseErrand({ action, hook, paths, by }: Readonly<Record<string, unknown>>): HookErrand {
  if (typeof hook !== 'string' || !Array.isArray(paths)) throw malformed();
  if (action !== 'release' && action !== 'retry' && action !== 'add') throw malformed();
  return { action, hook, paths: paths.map(parsePath), by: parseActor(by) };
}

function parseReviewed(value: unknown): ReadonlyMap<BytePath, string> | undefined {
  if (value === null) return undefined;
  if (!Array.isArray(value)) throw malformed();
  return new Map(
    value.map((pair: unknown): [BytePath, string] => {
      if (!Array.isArray(pair) || typeof pair[1] !== 'string') throw malformed();
      return [parsePath(pair[0]), pair[1]];
    }),
  );
}

/** Only what an actor has, with the types that it has. */
function parseActor(value: unknown): Actor {
  if (!isRecord(value)) return { source: 'unknown' };
  const { pid, exe, cmdline, uid, loginUid } = value;
  return {
    source: 'proc',
    ...(typeof pid === 'number' ? { pid } : {}),
    ...(typeof exe === 'string' ? { exe } : {}),
    ...(Array.isArray(cmdline) ? { cmdline: cmdline.filter((word): word is string => typeof word === 'string') } : {}),
    ...(typeof uid === 'number' ? { uid } : {}),
    ...(typeof loginUid === 'number' ? { loginUid } : {}),
  };
}

export function encodeFailure(error: unknown): string {
  const { code, hint } = error instanceof AppError ? error : { code: 'INTERNAL', hint: undefined };
  return JSON.stringify({ ok: false, code, message: errorMessage(error), hint: hint ?? null });
}

/** The result, or the failure as the AppError that it was on the other side. */
export function parseReply(line: string): unknown {
  const value = parseJson(line);
  if (!isRecord(value)) throw malformed();
  if (value['ok'] === true) return value['result'];
  const { code, message, hint } = value;
  throw new AppError(code as AppErrorCode, String(message), typeof hint === 'string' ? { hint } : {});
}

/** A byte path is a string of characters up to U+00FF, which JSON carries as it is. */
export function parsePath(value: unknown): BytePath {
  if (typeof value !== 'string' || /[^\0-\xff]/.test(value)) throw malformed();
  return pathFromLatin1(value);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw malformed();
  }
}

function malformed(): AppError {
  return new AppError('USAGE', 'malformed message on the control socket');
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
