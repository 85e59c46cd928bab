// A worker thread: answers one request after the other with synchronous system calls (protocol.ts).
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { AppError } from '../domain/errors.ts';
import { compileScope } from '../domain/rule.ts';
import { type ContentReader, createContentReader } from './content.ts';
import { openDigestEngine } from './digest.ts';
import { createEntryReader } from './entry-reader.ts';
import { createPageReader } from './page-reader.ts';
import { digestPrefix } from './prefix.ts';
import type { Reply, Request, WorkerSetup } from './protocol.ts';
import { createRecordWriter } from './record-writer.ts';
import { createXattrReader } from './xattrs.ts';

if (isMainThread || parentPort === null)
  throw new AppError('INTERNAL', 'internal error: disk worker on the main thread');
const port = parentPort;
const answer = createAnswerer(workerData as WorkerSetup);

port.on('message', (request: Request) => {
  if (request.kind === 'close') return port.close();
  const { reply, transfer } = answer(request);
  port.postMessage(reply, transfer);
});

interface Answer {
  readonly reply: Reply;
  readonly transfer: ArrayBuffer[];
}

function createAnswerer(setup: WorkerSetup): (request: Exclude<Request, { kind: 'close' }>) => Answer {
  const closing = new Int32Array(setup.closing);
  let canceled = closing;
  const isCanceled = (): boolean => Atomics.load(canceled, 0) !== 0 || Atomics.load(closing, 0) !== 0;
  const scope = compileScope(setup.scope);
  const engine = openDigestEngine(setup.engine);
  const content = createContentReader(engine, isCanceled);
  const writer = createRecordWriter();
  const entries = createEntryReader(writer, content, createXattrReader(engine));
  const pages = createPageReader(scope, writer, content, entries, isCanceled);

  const pagesReply = (request: Extract<Request, { kind: 'pages' }>): Answer => {
    canceled = request.cancel === undefined ? closing : new Int32Array(request.cancel);
    const read = pages.read(request.work, request.share);
    const records = writer.take();
    return { reply: { kind: 'pages', id: request.id, ...read, records }, transfer: [records] };
  };

  return (request) => {
    try {
      if (request.kind === 'pages') return pagesReply(request);
      canceled = closing;
      return { reply: prefixReply(request, content), transfer: [] };
    } catch (error) {
      writer.take();
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { reply: { kind: 'thrown', id: request.id, stack }, transfer: [] };
    }
  };
}

function prefixReply({ id, path, lengthBytes }: Extract<Request, { kind: 'prefix' }>, content: ContentReader): Reply {
  const result = digestPrefix(content, path, lengthBytes);
  if (result.kind === 'digest') {
    // A copy: a Buffer from Node's pool would take the whole pool along.
    const value = new Uint8Array(result.digest.value);
    return { kind: 'prefix', id, errno: 0, algorithm: result.digest.algorithm, value };
  }
  const errno = result.kind === 'failed' ? result.errno : 0;
  return { kind: 'prefix', id, errno, algorithm: 'blake3', value: undefined };
}
