import { expect, test } from 'vitest';
import { EXIT_TABLE, exitCodeOf } from '../../../src/cli/exit-codes.ts';
import { AppError, type AppErrorCode, SystemError } from '../../../src/domain/errors.ts';

test.each([
  ['USAGE', 64],
  ['BASELINE_MISSING', 65],
  ['BASELINE_UNTRUSTED', 65],
  ['INTERNAL', 70],
  ['BASELINE_EXISTS', 73],
  ['CANNOT_CREATE', 73],
  ['IO', 74],
  ['BUSY', 75],
  ['STALE', 75],
  ['NO_PERMISSION', 77],
  ['CONFIG', 78],
  ['PROGRAM_UNUSABLE', 126],
  ['PROGRAM_MISSING', 127],
] as const)('%s exits %d, and the table says so', (code: AppErrorCode, status) => {
  expect(exitCodeOf(new AppError(code, 'x'))).toBe(status);
  expect(EXIT_TABLE.map(([shown]) => shown)).toContain(String(status));
});

test('system errors are I/O unless they are a matter of permission; anything else is internal', () => {
  expect(exitCodeOf(new SystemError('read', 5))).toBe(74);
  expect(exitCodeOf(new SystemError('open', 13))).toBe(77);
  expect(exitCodeOf(new TypeError('x'))).toBe(70);
  expect(exitCodeOf('x')).toBe(70);
});
