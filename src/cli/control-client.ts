// Asking the running watch. Without one there is nobody to ask, which is an answer too.
import { createConnection, type Socket } from 'node:net';
import type { Coverage, CoverageMode } from '../domain/coverage.ts';
import { AppError, errorCode } from '../domain/errors.ts';
import { type BytePath, pathFromText } from '../domain/path.ts';
import { openAddress } from './control-address.ts';
import { type ControlRequest, encodeRequest, isRecord, LINE_MAX_BYTES, parseReply } from './control-protocol.ts';
import { socketPath } from './state.ts';
import { assertFileTrusted } from './state-trust.ts';

interface Patience {
  readonly waitMs: number;
  readonly replyMaxBytes: number;
}

/** A status is at hand at once; an accept reads files, and so does who is asked quickly, but a walk is at hand then. */
const PATIENCE: Readonly<Record<ControlRequest['op'], Patience>> = {
  status: { waitMs: 5_000, replyMaxBytes: 8 * 1024 * 1024 },
  quick: { waitMs: 20_000, replyMaxBytes: LINE_MAX_BYTES },
  accept: { waitMs: 60_000, replyMaxBytes: LINE_MAX_BYTES },
  hook: { waitMs: 10_000, replyMaxBytes: LINE_MAX_BYTES },
};

/**
 * The reply's result; undefined when no watch is running on this baseline. Failures of the other side are thrown; BUSY when it
 * does not answer in time (it is stopped, or has much to do) or without an end.
 */
export async function askWatch(
  baseline: BytePath,
  request: ControlRequest,
  patience: Patience = PATIENCE[request.op],
): Promise<unknown> {
  const line = await exchange(socketPath(baseline), `${encodeRequest(request)}\n`, patience);
  return line === undefined ? undefined : parseReply(line);
}

async function exchange(path: BytePath, message: string, patience: Patience): Promise<string | undefined> {
  assertFileTrusted(path);
  let address: ReturnType<typeof openAddress>;
  try {
    address = openAddress(path);
  } catch (error) {
    if (NOBODY.has(errorCode(error) ?? '')) return undefined;
    throw error;
  }
  const socket = createConnection(address.text);
  const timer = setTimeout(() => socket.destroy(noAnswer(`within ${patience.waitMs / 1000} s`)), patience.waitMs);
  try {
    socket.write(message);
    const text = await readReply(socket, patience);
    return text === '' ? undefined : text;
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (NOBODY.has(code)) return undefined;
    // More wait for an answer than the kernel has room for: unix(7).
    throw code === 'EAGAIN' ? noAnswer('to those who asked before') : error;
  } finally {
    clearTimeout(timer);
    socket.destroy();
    address.close();
  }
}

async function readReply(socket: Socket, { replyMaxBytes }: Patience): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > replyMaxBytes) throw noAnswer(`in ${replyMaxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function noAnswer(how: string): AppError {
  return new AppError('BUSY', `the running watch gave no answer ${how}`, {
    hint: 'it is busy or stopped; what it was asked to do it may still do: see `driftline journal`',
  });
}

const NOBODY: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);

/** What a watch beside this command covers. */
export interface WatchView {
  /** As it reports it; empty when none is running or it may not be asked. */
  readonly coverage: readonly Coverage[];
  /** It is running and gives no answer: nobody knows what it covers. */
  readonly isDeaf: boolean;
}

export async function viewOfWatch(baseline: BytePath): Promise<WatchView> {
  let status: unknown;
  try {
    status = await askWatch(baseline, { op: 'status' });
  } catch (error) {
    // Another failure is no reason for a check to fail: a watch that is just stopping covers nothing either.
    return { coverage: [], isDeaf: errorCode(error) === 'BUSY' };
  }
  const rows = isRecord(status) ? status['coverage'] : [];
  return { coverage: Array.isArray(rows) ? rows.filter(isRecord).map(toCoverage) : [], isDeaf: false };
}

function toCoverage(row: Readonly<Record<string, unknown>>): Coverage {
  const { mount, mountBytes, mode, since, gaps, reason } = row;
  return {
    mount: typeof mountBytes === 'string' ? latin1(mountBytes) : pathFromText(String(mount)),
    mode: String(mode) as CoverageMode,
    sinceMs: Date.parse(String(since)),
    gaps: Number(gaps),
    reason: typeof reason === 'string' ? reason : undefined,
  };
}

function latin1(base64: string): BytePath {
  return Buffer.from(base64, 'base64').toString('latin1') as BytePath;
}
