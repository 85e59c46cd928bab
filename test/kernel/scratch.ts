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

  /** A fresh ext4 on a loop device, or a clone of another one; returns its mount point. */
  ext4(name: string, from?: string): string {
    if (from === undefined) return this.#loop(name, '64M', ['mkfs.ext4', '-q', '-F']);
    execFileSync('cp', [this.#image(from), this.#image(name)]);
    return this.remount(name);
  }

  /** A fresh ext4 with inodes of 128 bytes, which have room for whole seconds only. */
  coarse(name: string): string {
    return this.#loop(name, '64M', ['mkfs.ext4', '-q', '-F', '-I', '128']);
  }

  /** A fresh xfs, of the least size that mkfs.xfs(8) makes. */
  xfs(name: string): string {
    return this.#loop(name, '300M', ['mkfs.xfs', '-q', '-f']);
  }

  /** A fresh btrfs; its top level is mounted. `btrfs subvolume create` makes subvolumes of it. */
  btrfs(name: string): string {
    return this.#loop(name, '110M', ['mkfs.btrfs', '-q', '-f']);
  }

  /** A subvolume of a fresh btrfs, mounted by itself as distributions do. */
  subvolume(name: string): string {
    const top = this.btrfs(`${name}-top`);
    execFileSync('btrfs', ['subvolume', 'create', join(top, 'part')], { stdio: 'pipe' });
    return this.remount(name, ['subvol=part'], `${name}-top`);
  }

  /** Sparse: it takes as much of the disk as is written. */
  #loop(name: string, size: string, [command = '', ...args]: readonly string[]): string {
    const image = this.#image(name);
    execFileSync('truncate', ['-s', size, image]);
    execFileSync(command, [...args, image]);
    return this.remount(name);
  }

  /** The image once more, after `umount`: nothing of it is cached. `options` as of mount(8). */
  remount(name: string, options: readonly string[] = [], image: string = name): string {
    const at = this.#mountPoint(name);
    execFileSync('mount', ['-o', ['loop', ...options].join(','), this.#image(image), at]);
    return at;
  }

  #image(name: string): string {
    return join(this.dir, `${name}.img`);
  }

  /** `more`: options beside the three directories. */
  overlay(name: string, more = ''): string {
    const base = this.tmpfs(`${name}-layers`);
    for (const part of ['lower', 'upper', 'work']) mkdirSync(join(base, part));
    const at = this.#mountPoint(name);
    const options = `lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work${more}`;
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
