// The library as a user gets it: packed, unpacked into another project, type-checked and run there.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PROJECT = mkdtempSync(join(tmpdir(), 'driftline-library-'));

const PROGRAM = `
import { FanotifyGroup, FAN_CREATE, FAN_REPORT_FID, type FanotifyEvent, maskToString, pathFromText, SystemError } from 'driftline/fanotify';

const describe = ({ mask, kind }: FanotifyEvent): string => \`\${kind} \${maskToString(mask)}\`;
try {
  await using group = FanotifyGroup.open({ flags: FAN_REPORT_FID });
  group.mark(0, FAN_CREATE, pathFromText(process.cwd()));
  (await import('node:fs')).writeFileSync('made', '');
  for await (const batch of group.events()) {
    console.log(batch.events.map(describe).join());
    break;
  }
} catch (error) {
  console.log(error instanceof SystemError ? error.hint : error);
}
`;

function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  expect({ status, output: stdout + stderr }).toMatchObject({ status: 0 });
  return stdout;
}

describe('the packed library', () => {
  beforeAll(() => {
    const modules = join(PROJECT, 'node_modules');
    mkdirSync(join(modules, 'driftline'), { recursive: true });
    run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', PROJECT], ROOT);
    const [tarball = ''] = readdirSync(PROJECT).filter((name) => name.endsWith('.tgz'));
    run('tar', ['xzf', tarball, '-C', join(modules, 'driftline'), '--strip-components=1'], PROJECT);
    for (const name of ['koffi', '@types', 'undici-types'])
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    writeFileSync(join(PROJECT, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(PROJECT, 'program.ts'), PROGRAM);
  });

  afterAll(() => {
    rmSync(PROJECT, { recursive: true, force: true });
  });

  test('has types that hold under strict checks of the libraries too', () => {
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--types', 'node'];
    const options = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable', ...strict];
    run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, 'program.ts'], PROJECT);
    expect(readdirSync(PROJECT)).toContain('program.js');
  });

  // Of all that driftline depends on, koffi alone is there.
  test('runs, its thread included', () => {
    expect(run(process.execPath, ['program.js'], PROJECT)).toBe('event FAN_CREATE\n');
  });
});
