// A real systemd as process 1 of namespaces of its own: the shipped unit under the real service manager. Of the machine it
// shares the file systems, but for /run, /var/lib and its control groups.
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const SYSTEMD = '/lib/systemd/systemd';
const SHIPPED = join(import.meta.dirname, '../../packaging/driftline.service');
const TARGETS = 'sysinit basic multi-user shutdown local-fs remote-fs network default'.split(' ');
const WAIT_MS = 60_000;
const POLL_MS = 50;

/**
 * Its own control group has been entered when the namespaces are made, so it is their root. /proc/sys is read-only: a
 * system manager raises limits of the whole machine. Nor may it write to the machine's console.
 */
const BOOT = `
  set -e
  mount --make-rprivate /
  mount -t tmpfs none /run
  mount -t tmpfs none /var/lib
  mount --bind /proc/sys /proc/sys
  mount -o remount,bind,ro /proc/sys
  umount -R /sys/fs/cgroup 2>/dev/null || true
  mount -t cgroup2 none /sys/fs/cgroup
  mount --bind /dev/null /dev/console
  export container=driftline-test SYSTEMD_UNIT_PATH="$1/units" SYSTEMD_PROC_CMDLINE=
  export SYSTEMD_GENERATOR_PATH="$1/none" SYSTEMD_ENVIRONMENT_GENERATOR_PATH="$1/none"
  exec ${SYSTEMD} --system --log-target=null --show-status=false --default-standard-output=null
`;

/** Why it cannot run here; undefined when it can. */
export function missingForSystemd(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!existsSync(SYSTEMD) || !existsSync('/etc/machine-id')) return 'needs systemd';
  const ran = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t cgroup2 none /mnt && mkdir /mnt/$$ && rmdir /mnt/$$']);
  return ran.status === 0 ? undefined : 'needs control groups of version 2 that can be written to';
}

export class BootedSystemd {
  readonly #dir: string;
  readonly #cgroup: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #pid = 0;

  /** `dir`: an empty directory. `command`: what the shipped unit starts, instead of the installed program. */
  constructor(dir: string, command: readonly string[], settings: readonly string[] = []) {
    this.#dir = dir;
    for (const part of ['units/driftline.service.d', 'none', 'cgroups'])
      mkdirSync(join(dir, part), { recursive: true });
    cpSync(SHIPPED, join(dir, 'units/driftline.service'));
    for (const name of TARGETS) writeFileSync(join(dir, 'units', `${name}.target`), '[Unit]\nDefaultDependencies=no\n');
    const service = ['ExecStart=', `ExecStart=${command.join(' ')}`, ...settings];
    for (const stream of ['Output', 'Error']) service.push(`Standard${stream}=append:${dir}/said`);
    service.push(`ExecStopPost=/bin/sh -c 'echo $$SERVICE_RESULT >>${dir}/results'`);
    writeFileSync(join(dir, 'units/driftline.service.d/test.conf'), `[Service]\n${service.join('\n')}\n`);
    spawnSync('mount', ['-t', 'cgroup2', 'none', join(dir, 'cgroups')]);
    this.#cgroup = join(dir, 'cgroups', `driftline-test-${process.pid}`);
    mkdirSync(this.#cgroup);
    const enter = `echo 0 >"$0/cgroup.procs"; exec unshare --cgroup --pid --mount --uts --ipc --net --fork --kill-child --mount-proc "$@"`;
    this.#child = spawn('sh', ['-ec', enter, this.#cgroup, 'sh', '-c', BOOT, 'sh', dir], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.on('data', (text: Buffer) => writeFileSync(join(dir, 'said'), text, { flag: 'a' }));
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  async booted(): Promise<void> {
    await this.until('process 1', () => {
      const of = `/proc/${this.#child.pid}/task/${this.#child.pid}/children`;
      this.#pid = Number(existsSync(of) ? readFileSync(of, 'latin1') : 0);
      return this.#pid > 0 && readFileSync(`/proc/${this.#pid}/comm`, 'latin1') === 'systemd\n';
    });
    await this.until(
      'a system that is running',
      () => this.systemctl('is-active', 'default.target').stdout === 'active\n',
    );
  }

  /** Runs a command among its processes. */
  inside(...command: string[]): SpawnSyncReturns<string> {
    return spawnSync('nsenter', this.#entering(command), { encoding: 'utf8' });
  }

  /** The same, going on beside the test. */
  spawnInside(...command: string[]): ChildProcess {
    return spawn('nsenter', this.#entering(command), { stdio: 'ignore' });
  }

  #entering(command: readonly string[]): string[] {
    return [`--target=${this.#pid}`, '--mount', '--pid', '--cgroup', '--', ...command];
  }

  systemctl(...args: string[]): SpawnSyncReturns<string> {
    return this.inside('systemctl', '--no-pager', ...args);
  }

  /** Must succeed. */
  order(...args: string[]): void {
    const ran = this.systemctl(...args);
    if (ran.status !== 0) throw new Error(`systemctl ${args.join(' ')}: ${ran.stderr}\n${this.told()}`);
  }

  /** A property of the service. */
  show(property: string): string {
    return this.systemctl('show', '--value', '--property', property, 'driftline').stdout.trim();
  }

  /** What the service has said, and process 1 before it was systemd. */
  told(): string {
    return this.#text('said');
  }

  /** How the service ended, each time: SERVICE_RESULT of systemd.exec(5). */
  results(): string[] {
    return this.#text('results').split('\n').slice(0, -1);
  }

  #text(name: string): string {
    const file = join(this.#dir, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async until(what: string, passes: () => boolean): Promise<void> {
    for (const deadline = Date.now() + WAIT_MS; !passes(); ) {
      if (Date.now() > deadline || this.#child.exitCode !== null) throw new Error(`in vain: ${what}\n${this.told()}`);
      await pause(POLL_MS);
    }
  }

  /** Ends all processes, and takes the control groups away. */
  async [Symbol.asyncDispose](): Promise<void> {
    writeFileSync(join(this.#cgroup, 'cgroup.kill'), '1');
    await this.#ended;
    // Who was killed leaves its control group a moment later.
    for (const deadline = Date.now() + WAIT_MS; !removed(this.#cgroup); ) {
      if (Date.now() > deadline) throw new Error(`${this.#cgroup} is not empty`);
      await pause(POLL_MS);
    }
    spawnSync('umount', [join(this.#dir, 'cgroups')]);
  }
}

function removed(cgroup: string): boolean {
  try {
    for (const one of readdirSync(cgroup, { withFileTypes: true })) {
      if (one.isDirectory() && !removed(join(cgroup, one.name))) return false;
    }
    rmdirSync(cgroup);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    throw error;
  }
}
