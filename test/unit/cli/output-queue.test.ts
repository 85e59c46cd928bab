import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openOutput } from '../../../src/cli/output.ts';
import { queueOutput } from '../../../src/cli/output-queue.ts';
import { errorCode } from '../../../src/domain/errors.ts';

interface Pipe {
  readonly writer: number;
  /** Everything that is in it now. */
  read(): string;
  closeReader(): void;
}

function openPipe(): Pipe {
  const dir = mkdtempSync(join(tmpdir(), 'driftline-queue-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  const reader = openSync(join(dir, 'pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(join(dir, 'pipe'), 'w');
  onTestFinished(() => closeSync(writer));
  return { writer, read: () => readAll(reader), closeReader: () => closeSync(reader) };
}

function readAll(fd: number): string {
  const buffer = Buffer.alloc(1 << 20);
  let text = '';
  for (;;) {
    try {
      const length = readSync(fd, buffer);
      if (length === 0) return text;
      text += buffer.toString('latin1', 0, length);
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') return text;
      throw error;
    }
  }
}

function opened() {
  const [data, errors] = [openPipe(), openPipe()];
  const plain = openOutput({ quiet: false, colour: false, progress: 'none' });
  return { data, errors, output: queueOutput(plain, [data.writer, errors.writer]) };
}

/** Everything so far, read as it comes. */
function collector(pipe: Pipe): () => string {
  let text = '';
  return () => {
    text += pipe.read();
    return text;
  };
}

const POLL = { interval: 5, timeout: 15_000 };
const LINE = `${'x'.repeat(999)}\n`;

test('lines are written at once, in order', () => {
  const { data, errors, output } = opened();
  for (const text of ['a\n', 'b\n']) output.data(text);
  output.warn('w');
  output.note('n');
  expect([data.read(), errors.read()]).toEqual(['a\nb\n', 'w\nn\n']);
});

test('a reader who does not read costs nothing but what is beyond the bound, and is told', async () => {
  const { data, errors, output } = opened();
  for (let count = 0; count < 6000; count += 1) output.data(LINE);
  const [out, said] = [collector(data), collector(errors)];
  await expect.poll(() => said().includes('in the journal alone') || out().length, POLL).toBe(true);
  const dropped = Number(/: (\d+) lines/.exec(said())?.[1]);
  expect(dropped).toBeGreaterThan(1500);
  expect(out() === LINE.repeat(6000 - dropped)).toBe(true);
  output.data('later\n');
  expect(data.read()).toBe('later\n');
});

test('a reader who left is told of once, and never again', () => {
  const { data, errors, output } = opened();
  data.closeReader();
  for (let count = 0; count < 3; count += 1) output.data('a\n');
  expect(errors.read()).toBe('driftline: standard output was closed: drift is told in the journal alone\n');
  errors.closeReader();
  for (let count = 0; count < 3; count += 1) output.warn('nobody hears it');
});

test('the end waits for a slow reader no longer than it is told to', () => {
  const { data, output } = opened();
  for (let count = 0; count < 100; count += 1) output.data(LINE);
  const start = performance.now();
  output.close(50);
  expect(performance.now() - start).toBeGreaterThan(40);
  const text = data.read();
  expect(text.length).toBeGreaterThan(60_000);
  expect(LINE.repeat(99).startsWith(text)).toBe(true);
});
