// Every command that the README shows for a first baseline is run as it stands there, in a mount namespace of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'driftline-readme-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function block(marker: string): string {
  const found = new RegExp(`<!-- ${marker} -->\\n\`\`\`\\w*\\n([\\s\\S]*?)\`\`\``).exec(README)?.[1];
  if (found === undefined) throw new Error(`the README has no block marked ${marker}`);
  return found;
}

/** Private empty directories where the README's paths are, and `driftline` on the PATH. */
const PREPARE = `
set -eu
mkdir -p /etc/driftline /var/lib/driftline /srv
for dir in /etc/driftline /var/lib /srv /var/tmp; do mount -t tmpfs -o mode=0755 tmpfs $dir; done
mkdir /srv/www /srv/uploads
echo '<p>welcome</p>' > /srv/www/index.html
PATH="$1/bin:$PATH"
cp "$1/driftline.yaml" /etc/driftline/driftline.yaml
`;

function runInNamespace(script: string): ReturnType<typeof spawnSync> {
  writeFileSync(join(scratch, 'driftline.yaml'), block('file: /etc/driftline/driftline.yaml'), { mode: 0o644 });
  spawnSync('mkdir', ['-p', join(scratch, 'bin')]);
  const wrapper = `#!/bin/sh\nexec '${process.execPath}' '${ROOT}/dist/cli/main.js' "$@"\n`;
  writeFileSync(join(scratch, 'bin/driftline'), wrapper, { mode: 0o755 });
  const existed = spawnSync('test', ['-d', '/etc/driftline']).status === 0;
  try {
    return spawnSync('unshare', ['-m', 'sh', '-c', `${PREPARE}\n${script}`, 'sh', scratch], { encoding: 'utf8' });
  } finally {
    if (!existed) spawnSync('rmdir', ['/etc/driftline']);
    spawnSync('rmdir', ['--ignore-fail-on-non-empty', '/var/lib/driftline']);
  }
}

test.skipIf(process.getuid?.() !== 0)(
  'the first baseline of the README works as it is written (needs root for its mounts)',
  () => {
    const { status, stdout, stderr } = runInNamespace(block('run'));
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/CHANGED\s+normal\s+\/srv\/www\/index.html\s+size mtime digest/);
    expect(stderr).toContain('accepted 1 drift');
    expect(stdout).toContain('covered');
  },
);

test.skipIf(process.getuid?.() !== 0)(
  'the hook of the README fits the configuration of the README (needs root for its mounts)',
  () => {
    const hook = /Add to the configuration[\s\S]*?```yaml\n([\s\S]*?)```/.exec(README)?.[1] ?? '';
    const { status, stdout, stderr } = runInNamespace(
      `cat >> /etc/driftline/driftline.yaml <<'EOF'\n${hook}EOF\ndriftline config check`,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('3 rules, 1 hook');
  },
);
