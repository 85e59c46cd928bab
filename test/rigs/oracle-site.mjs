// Where the oracle rig works: filesystems of its own, writers on them, and the watch that is stopped, killed and flooded.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const MKFS = { ext4: ['256M', 'mkfs.ext4', '-q', '-F'], xfs: ['400M', 'mkfs.xfs', '-q', '-f'], btrfs: ['400M', 'mkfs.btrfs', '-q', '-f'] };
/** The longest that anything may take; nothing takes as long. */
const PATIENCE_MS = 120_000;
const COOKIE_MS = 3_000;

export class Site {
  directory = mkdtempSync(join(tmpdir(), 'driftline-oracle-'));
  /** The roots of the filesystems. */
  mounts = [];
  writers = [];
  program;
  config = join(this.directory, 'driftline.yaml');
  watch;
  #cookie = 0;

  constructor(filesystems, options) {
    chmodSync(this.directory, 0o755);
    for (const type of filesystems) this.mounts.push(this.#mount(type));
    for (const name of ['writer', 'look']) {
      execFileSync('gcc', ['-O2', '-o', join(this.directory, name), join(import.meta.dirname, `oracle-${name}.c`)]);
    }
    const settings = {
      baseline: join(this.directory, 'state/baseline.db'),
      watch: { quiet: '30ms', deadline: '400ms', sweep: 'off', ...options },
      rules: [
        { name: 'site', paths: this.mounts.map((at) => `${at}/root`) },
        { name: 'accepted', paths: this.mounts.map((at) => `${at}/accepted`), onDrift: 'accept' },
        { name: 'cookies', paths: this.mounts.map((at) => `${at}/cookies`), onDrift: 'accept' },
      ],
    };
    writeFileSync(this.config, JSON.stringify(settings), { mode: 0o600 });
  }

  #mount(type) {
    const at = join(this.directory, type);
    mkdirSync(at);
    if (type === 'tmpfs') execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512M', 'driftline-oracle', at]);
    else {
      const [size, command, ...args] = MKFS[type] ?? [];
      if (command === undefined) throw new Error(`--fs ${type}: one of tmpfs, ${Object.keys(MKFS).join(', ')}`);
      execFileSync('truncate', ['-s', size, `${at}.img`]);
      execFileSync(command, [...args, `${at}.img`], { stdio: 'ignore' });
      execFileSync('mount', ['-o', 'loop', `${at}.img`, at]);
    }
    for (const name of ['root', 'accepted', 'cookies', 'outside']) mkdirSync(join(at, name));
    return at;
  }

  /**
   * Four for each filesystem: two through the watched mount, one through a bind mount, one in a mount namespace of its own.
   * Each has a directory of its own; the others are shared.
   */
  openWriters(seed) {
    for (const [index, at] of this.mounts.entries()) {
      const bind = `${at}-bind`;
      mkdirSync(bind);
      execFileSync('mount', ['--bind', at, bind]);
      const places = [at, at, bind, at];
      for (const [n, cwd] of places.entries()) {
        const own = `root/w${n}`;
        mkdirSync(join(at, own));
        const log = join(this.directory, `log-${index}-${n}`);
        const args = [log, String(seed + 16 * index + n), own, 'root', 'accepted', 'outside'];
        const wrap = n === 3 ? ['unshare', '--mount'] : [];
        this.writers.push(new Writer([...wrap, join(this.directory, 'writer'), ...args], cwd, { log, at }));
      }
    }
  }

  /** Each writer gets the line; resolves when all have done it. */
  async tell(line, writers = this.writers) {
    await Promise.all(writers.map((writer) => writer.tell(line)));
  }

  driftline(...args) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [this.program, '--config', this.config, ...args], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    return { status, stdout, stderr };
  }

  look() {
    const roots = this.mounts.flatMap((at) => [`${at}/root`, `${at}/accepted`]);
    return execFileSync(join(this.directory, 'look'), roots, { encoding: 'latin1', maxBuffer: 1 << 30 });
  }

  start() {
    this.watch = new Watch(this.program, this.config, join(this.directory, 'watch.err'));
  }

  /** Until the watch has taken in what was written before: twice, because only the next batch says that one is complete. */
  async settled() {
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(this.mounts.map((at) => this.#cookieSeen(at)));
    }
  }

  async #cookieSeen(at) {
    for (const end = Date.now() + PATIENCE_MS; ; ) {
      const cookie = join(at, 'cookies', `c${(this.#cookie += 1)}-`);
      writeFileSync(cookie, '');
      const isSeen = await this.watch.said(cookie, COOKIE_MS);
      rmSync(cookie);
      if (isSeen) return;
      if (Date.now() > end) throw new Error(`the watch does not see ${cookie}\n${this.watch.errors()}`);
    }
  }

  /** `keep`: the filesystems stay for somebody to look at. */
  close(keep = false) {
    for (const writer of this.writers) writer.close();
    this.watch?.signal('SIGKILL');
    if (keep) return;
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((at) => at.startsWith(`${this.directory}/`));
    for (const at of mounts.reverse()) execFileSync('umount', ['-l', at]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

class Writer {
  #child;
  #lines;
  #ended;

  constructor([command, ...args], cwd, { log, at }) {
    this.log = log;
    this.at = at;
    this.#child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve(code ?? signal)));
  }

  async tell(line) {
    this.#child.stdin.write(`${line}\n`);
    const { done } = await this.#lines.next();
    if (done) throw new Error(`a writer ended: ${await this.#ended}`);
  }

  close() {
    this.#child.stdin.destroy();
    this.#child.kill('SIGKILL');
  }
}

/** One run of the watch. */
class Watch {
  #child;
  #errorFile;
  #wanted = new Map();
  #tail = '';
  #isOver = false;
  #isReady = false;

  constructor(program, config, errorFile) {
    this.#errorFile = errorFile;
    const errors = openSync(errorFile, 'a');
    writeSync(errors, '--\n');
    this.#child = spawn(process.execPath, [program, '--config', config, 'watch', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr.on('data', (chunk) => {
      writeSync(errors, chunk);
      this.#isReady ||= /^ready: /m.test(readFileSync(errorFile, 'utf8').split('--\n').at(-1));
    });
    this.#child.stdout.setEncoding('latin1');
    this.#child.stdout.on('data', (chunk) => this.#listen(chunk));
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#isOver = true;
        resolve(code ?? signal);
      });
    });
  }

  #listen(chunk) {
    const text = this.#tail + chunk;
    for (const [word, resolve] of this.#wanted) if (text.includes(word)) resolve(true);
    this.#tail = text.slice(-512);
  }

  /** Whether the word comes within the time. */
  async said(word, ms) {
    const came = new Promise((resolve) => this.#wanted.set(word, resolve));
    const stop = new AbortController();
    const seen = await Promise.race([came, this.ended.then(() => false), sleep(ms, false, { signal: stop.signal })]);
    stop.abort();
    this.#wanted.delete(word);
    if (this.#isOver) throw new Error(`the watch ended: ${await this.ended}\n${this.errors()}`);
    return seen;
  }

  async ready() {
    for (const end = Date.now() + PATIENCE_MS; !this.#isReady; await sleep(10)) {
      if (this.#isOver) throw new Error(`the watch ended: ${await this.ended}\n${this.errors()}`);
      if (Date.now() > end) throw new Error(`the watch is not ready\n${this.errors()}`);
    }
  }

  signal(name) {
    this.#child.kill(name);
  }

  errors() {
    return readFileSync(this.#errorFile, 'utf8').slice(-4000);
  }
}
