// Names on their way to a command that is no hook.
import { expect, test } from 'vitest';
import { pathFromLatin1 } from '../../../src/domain/path.ts';
import { runPayload } from '../../../src/hooks/run-payload.ts';

const paths = ['/a b', '/new\nline', '/raw\xff', '/-rf'].map(pathFromLatin1);
const batch = { key: 'K', hook: 'h', attempts: 0, records: [], lastNumber: 0, paths };

test.each([
  ['paths0', '/a b\0/new\nline\0/raw\xff\0/-rf\0'],
  ['lines', '/a b\n/new\\nline\n/raw\xff\n/-rf\n'],
  ['none', ''],
] as const)('%s', (stdin, input) => {
  const payload = runPayload(stdin, batch, 'R1');
  expect(Buffer.from(payload.input).toString('latin1')).toBe(input);
  expect(payload.environment).toEqual({ DRIFTLINE_RUN_ID: 'R1', DRIFTLINE_PATHS: '4' });
});
