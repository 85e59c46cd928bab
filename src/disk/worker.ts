// A worker thread: answers one request after the other with synchronous system calls (protocol.ts).
import { isMainThread, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { AppError } from '../domain/errors.ts';
import { dirOf, nameOf } from '../domain/path.ts';
import { compileScope } from '../domain/rule.ts';
import { openSealTable, type SealTable } from '../domain/seal-table.ts';
import { type Collector, openCollector } from '../libc/collector.ts';
import { becomeIdle } from '../libc/priority.ts';
import { compileBriefly } from './brief.ts';
import { type ContentReader, createContentReader } from './content.ts';
import { openDigestEngine } from './digest.ts';
import { createEntryReader } from './entry-reader.ts';
import { createMeter } from './meter.ts';
import { needsByRule } from './needs.ts';
import { openPace } from './pace.ts';
import { createPageReader, type Signals } from './page-reader.ts';
import { createPageWriter } from './page-writer.ts';
import { digestPrefix } from './prefix.ts';
import {
  CANCELED,
  CONTROL_BYTES,
  HUNGRY,
  READY,
  type Reply,
  type Request,
  type WalkSetup,
  type WorkerSetup,
} from './protocol.ts';
import { createQuickReader } from './quick-reader.ts';
import { createReadAdvice } from './read-advice.ts';
import { createRecordWriter } from './record-writer.ts';
import { undone } from './work.ts';
import { createXattrReader } from './xattrs.ts';

if (isMainThread || parentPort === null)
  throw new AppError('INTERNAL', 'internal error: disk worker on the main thread');
const port = parentPort;
/** Of requests that belong to no walk. */
const NO_CONTROL = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));

/** Taken out of turn, and to be answered after the present request. */
const postponed: Request[] = [];

let answer: ReturnType<typeof createAnswerer> | undefined;
let collector: Collector | undefined;

port.on('message', (message: WorkerSetup | Request) => {
  if (message.kind !== 'setup') {
    answerAll(message);
    return;
  }
  answer = createAnswerer(message);
  port.postMessage(READY);
});

function answerAll(request: Request): void {
  for (let next: Request | undefined = request; next !== undefined; next = postponed.shift()) {
    if (next.kind === 'close') {
      port.close();
      return;
    }
    if (next.kind === 'rest') {
      collector ??= openCollector();
      collector.all();
      continue;
    }
    if (answer === undefined)
      throw new AppError('INTERNAL', 'internal error: a disk worker was asked before it was set up');
    const { reply, transfer } = answer(next);
    port.postMessage(reply, transfer);
  }
}

/** While this worker is at a large file, another one that has nothing to do shall have the walk's requests that wait here. */
function handBack(): void {
  for (let taken = receiveMessageOnPort(port); taken !== undefined; taken = receiveMessageOnPort(port)) {
    const request = taken.message as Request;
    if (request.kind === 'pages' && request.walk !== undefined) port.postMessage(undone(request));
    else postponed.push(request);
  }
}

interface Answer {
  readonly reply: Reply;
  readonly transfer: ArrayBuffer[];
}

function createAnswerer(setup: WorkerSetup): (request: Exclude<Request, { kind: 'close' | 'rest' }>) => Answer {
  if (setup.isBrief) compileBriefly();
  if (setup.idle) becomeIdle();
  const closing = new Int32Array(setup.closing);
  // One of the walk that is worked for; the functions stay the same, so that the compiled loop stays good.
  let control = NO_CONTROL;
  const signals: Signals = {
    isCanceled: () => Atomics.load(control, CANCELED) !== 0 || Atomics.load(closing, 0) !== 0,
    isHungry: () => Atomics.load(control, HUNGRY) !== 0,
  };
  const scope = compileScope(setup.scope);
  const engine = openDigestEngine(setup.engine);
  const { isCanceled } = signals;
  const meter = createMeter(setup.meter, setup.pace && openPace(setup.pace, isCanceled));
  const advice = createReadAdvice(setup.dropCache);
  const content = createContentReader({
    engine,
    meter,
    advice,
    isCanceled: () => {
      if (signals.isHungry()) handBack();
      return isCanceled();
    },
  });
  const writer = createRecordWriter();
  const entries = createEntryReader(writer, content, createXattrReader(engine), setup.digestMaxBytes);
  const pageWriter = createPageWriter(writer, engine);
  const quick = createQuickReader({ scope, rules: needsByRule(scope), engine, meter });
  const pages = createPageReader(scope, pageWriter, meter, entries, quick, signals);
  const openTable = tableCache();

  const pagesReply = ({ id, work, walk, contentMaxBytes, appended }: Extract<Request, { kind: 'pages' }>): Answer => {
    control = walk === undefined ? NO_CONTROL : new Int32Array(walk.control);
    const read = pages.read(work, {
      share: walk !== undefined,
      descend: walk?.descend ?? false,
      seals: openTable(walk),
      quick: walk?.quick ?? false,
      round: walk?.round,
      contentMaxBytes,
      appended,
    });
    return { reply: { kind: 'pages', id, ...read }, transfer: [read.records] };
  };

  return (request) => {
    try {
      if (request.kind === 'pages') return pagesReply(request);
      control = NO_CONTROL;
      meter.directory(dirOf(request.path));
      meter.entry(nameOf(request.path));
      return { reply: prefixReply(request, content), transfer: [] };
    } catch (error) {
      pageWriter.take();
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { reply: { kind: 'thrown', id: request.id, stack }, transfer: [] };
    } finally {
      meter.rest();
    }
  };
}

/** One table serves all requests of a walk. */
function tableCache(): (walk: WalkSetup | undefined) => SealTable | undefined {
  let id = 0;
  let table: SealTable | undefined;
  return (walk) => {
    if (walk?.seals === undefined) return undefined;
    if (walk.id !== id || table === undefined) table = openSealTable(walk.seals);
    id = walk.id;
    return table;
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
