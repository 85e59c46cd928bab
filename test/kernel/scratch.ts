// Own filesystems to write on, taken down whatever happens.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Scratch {
  readonly dir: string;

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'driftline-kernel-'));
  }

  /** A fresh tmpfs; returns its mount point. */
  tmpfs(name: string): string {
    const at = this.#mountPoint(name);
    execFileSync('mount', ['-t', 'tmpfs', 'driftline-test', at]);
    return at;
  }

  /** A fresh ext4 on a loop device; returns its mount point. */
  ext4(name: string, from?: string): string {
    const image = join(this.dir, `${name}.img`);
    if (from === undefined) {
      execFileSync('truncate', ['-s', '64M', image]);
      execFileSync('mkfs.ext4', ['-q', '-F', image]);
    } else {
      execFileSync('cp', [join(this.dir, `${from}.img`), image]);
    }
    const at = this.#mountPoint(name);
    execFileSync('mount', ['-o', 'loop', image, at]);
    return at;
  }

  overlay(name: string): string {
    const base = this.tmpfs(`${name}-layers`);
    for (const part of ['lower', 'upper', 'work']) mkdirSync(join(base, part));
    const at = this.#mountPoint(name);
    const options = `lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, at]);
    return at;
  }

  bind(from: string, name: string): string {
    const at = this.#mountPoint(name);
    execFileSync('mount', ['--bind', from, at]);
    return at;
  }

  #mountPoint(name: string): string {
    const at = join(this.dir, name);
    mkdirSync(at, { recursive: true });
    return at;
  }

  /** Unmounts everything below, last mounted first, and removes the directory. */
  [Symbol.dispose](): void {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((at) => at.startsWith(`${this.dir}/`));
    for (const at of mounts.reverse()) execFileSync('umount', ['-l', at]);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
