// Asking the running watch. Without one there is nobody to ask, which is an answer too.
import { createConnection } from 'node:net';
import type { Coverage, CoverageMode } from '../domain/coverage.ts';
import { errorCode } from '../domain/errors.ts';
import { type BytePath, pathFromText } from '../domain/path.ts';
import { openAddress } from './control-address.ts';
import { type ControlRequest, encodeRequest, isRecord, parseReply } from './control-protocol.ts';
import { socketPath } from './state.ts';

/** The reply's result; undefined when no watch is running on this baseline. Failures of the other side are thrown. */
export async function askWatch(baseline: BytePath, request: ControlRequest): Promise<unknown> {
  const line = await exchange(baseline, `${encodeRequest(request)}\n`);
  return line === undefined ? undefined : parseReply(line);
}

async function exchange(baseline: BytePath, message: string): Promise<string | undefined> {
  let address: ReturnType<typeof openAddress>;
  try {
    address = openAddress(socketPath(baseline));
  } catch (error) {
    if (NOBODY.has(errorCode(error) ?? '')) return undefined;
    throw error;
  }
  const socket = createConnection(address.text);
  try {
    socket.write(message);
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
    return text === '' ? undefined : text;
  } catch (error) {
    if (NOBODY.has(errorCode(error) ?? '')) return undefined;
    throw error;
  } finally {
    socket.destroy();
    address.close();
  }
}

const NOBODY: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);

/** Coverage as the running watch reports it; empty when none is running or it may not be asked. */
export async function coverageOfWatch(baseline: BytePath): Promise<Coverage[]> {
  let status: unknown;
  try {
    status = await askWatch(baseline, { op: 'status' });
  } catch {
    // A check must not fail because the watch is just stopping: then it is not covering anything either.
    return [];
  }
  const rows = isRecord(status) ? status['coverage'] : [];
  return Array.isArray(rows) ? rows.filter(isRecord).map(toCoverage) : [];
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
