// The oracle rig: random operations by several processes while the watch is stopped, killed and flooded. At each fence what
// the watch says must be what is there, and what a fresh check finds.
import { readFileSync, truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FAULTS, largeFrom, programOf } from './oracle-faults.mjs';
import { applied, brief, decoded, differences, JournalView, parseLook, pathOf, untold } from './oracle-judge.mjs';
import { Site } from './oracle-site.mjs';
import { randomOf } from './random.mjs';

const HELP = `usage: npm run rig -- oracle [OPTION...]
  --operations N   how many operations by the writers; default 200000 (long form: 10000000)
  --round N        operations between two fences; default 5000
  --fs LIST        filesystems, of tmpfs, ext4, xfs, btrfs; default tmpfs,ext4
  --seed N         of all that is random; printed
  --trouble LIST   what befalls the watch, of calm, flood, stop, kill; default all
  --who map|proc   as in the configuration; default map
  --large BYTES    files with more content are read as large ones; default as built
  --fault NAME     plants a fault, of ${Object.keys(FAULTS).join(', ')}: exit 0 when the rig noticed
  --strict         a move that was told as a removal and an addition is wrong, too
  --keep           leaves everything in place when something is wrong
SIGTERM ends it after the round that is going on.
`;

const { values: options } = parseArgs({
  options: {
    operations: { type: 'string', default: '200000' },
    round: { type: 'string', default: '5000' },
    fs: { type: 'string', default: 'tmpfs,ext4' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    trouble: { type: 'string', default: 'calm,flood,stop,kill' },
    who: { type: 'string', default: 'map' },
    large: { type: 'string' },
    fault: { type: 'string' },
    strict: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** How long what is wrong may take to become right: a rescan that is under way, a busy machine. */
const LATE_MS = options.fault === undefined ? 30_000 : 5_000;
const ACCEPT_EVERY = 5;
/** How far it is, now and then. */
const SAY_MS = 60_000;

const random = randomOf(Number(options.seed));

/** The path and the directories above it that belong to one writer or more. */
function lineageOf(path) {
  const parts = path.split('/');
  return new Set(parts.map((_, at) => parts.slice(0, at + 1).join('/')).slice(1));
}

class Wrong extends Error {}

class Oracle {
  journal = new JournalView();
  baseline;
  former;
  operations = 0;
  rounds = 0;
  late = 0;
  kills = 0;
  apart = 0;
  #apart = [];
  /** What the last check found. */
  #found = [];
  #site;

  constructor(site) {
    this.#site = site;
  }

  async begin() {
    const site = this.#site;
    await site.tell('go 1500 0');
    await site.tell('settle');
    const { status, stderr } = site.driftline('init');
    if (status !== 0) throw new Error(`init: ${status}\n${stderr}`);
    this.baseline = parseLook(site.look());
    site.start();
    await site.watch.ready();
    this.#read();
    this.#forget(this.baseline);
  }

  async round(trouble, operations) {
    const { writers } = this.#site;
    const each = Math.ceil(operations / writers.length);
    const work = this.#site.tell(`go ${each} ${[0, 10_000, 60_000][random(3)]}`);
    const isOver = { value: false };
    await Promise.all([work.finally(() => (isOver.value = true)), TROUBLES[trouble].call(this, isOver)]);
    this.operations += each * writers.length;
    await this.fence(trouble);
  }

  stop() {
    this.#site.watch.signal('SIGSTOP');
  }

  resume() {
    this.#site.watch.signal('SIGCONT');
  }

  async kill(isOver) {
    do {
      await sleep(random(600));
      this.#site.watch.signal('SIGKILL');
      await this.#site.watch.ended;
      this.kills += 1;
      await sleep(random(100));
      this.#site.start();
      if (random(3) > 0) await this.#site.watch.ready();
    } while (!isOver.value);
  }

  /** Stopped until the queue has overflowed; what the others do meanwhile is lost with it. */
  async flood() {
    await sleep(random(300));
    this.stop();
    const events = Number(readFileSync('/proc/sys/fs/fanotify/max_queued_events', 'latin1'));
    const first = this.#site.writers.filter(({ at }, index, all) => all.findIndex((one) => one.at === at) === index);
    await this.#site.tell(`storm ${events + 100}`, first);
    await this.#site.tell(`go ${100 + random(200)} 0`);
    this.resume();
  }

  async fence(trouble) {
    const site = this.#site;
    await site.tell('settle');
    await site.watch.ready();
    const [overflows, begin] = [this.journal.counts['overflow'] ?? 0, Date.now()];
    const entries = parseLook(site.look());
    let wrong;
    for (let attempt = 0; ; attempt += 1) {
      await site.settled();
      this.#read();
      wrong = this.#judge(entries);
      if (wrong.length === 0 || Date.now() - begin > LATE_MS) break;
      if (attempt === 0) this.late += 1;
      await sleep(200);
    }
    if (wrong.length > 0) throw new Wrong(this.#explain(wrong));
    if (trouble === 'flood' && this.journal.counts['overflow'] === overflows) throw new Wrong('no overflow was noticed');
    this.rounds += 1;
    this.apart += this.#apart.length;
    this.#forget(entries);
    if (this.rounds % ACCEPT_EVERY === 0) this.#accept(entries);
  }

  /** What was wrong once is looked for in what happened since. */
  #forget(entries) {
    this.former = entries;
    this.journal.forget();
    for (const { log } of this.#site.writers) truncateSync(log);
  }

  #read() {
    this.journal.update((since) => {
      const { status, stdout, stderr } = this.#site.driftline('journal', '--json', ...(since === undefined ? [] : ['--since', since]));
      if (status !== 0) throw new Wrong(`journal: ${status}\n${stderr}`);
      return stdout;
    });
  }

  #judge(entries) {
    const found = differences(applied(this.baseline, [...this.journal.open.values()]), entries);
    if (found.length > 0) return found;
    const missing = untold(this.former, entries, this.journal.fresh, this.journal.open.values());
    if (missing.length > 0) return missing.map((path) => ({ path, says: `no record of ${path} since the last fence: ${this.former.get(path)} / ${entries.get(path)}` }));
    return this.#check(entries);
  }

  /**
   * What a fresh check finds must be what is there, too. How it tells it is compared and counted: the watch may have told of a
   * removal and an addition before it could be known that both are one move.
   */
  #check(entries) {
    const { status, stdout, stderr } = this.#site.driftline('check', '--json');
    if (status > 15) throw new Wrong(`check: ${status}\n${stderr}`);
    const document = JSON.parse(stdout);
    const found = document.drift.filter(({ rule }) => rule === 'site');
    const told = new Set([...this.journal.open.values()].map(brief));
    const lines = found.map(brief);
    this.#apart = lines.filter((line) => !told.has(line));
    this.#found = document.drift;
    const strangers = document.drift.filter(({ rule }) => rule !== 'site');
    return [
      ...differences(applied(this.baseline, found), entries).map(({ path, says }) => ({ path, says: `the check: ${says}` })),
      ...strangers.map((record) => ({ path: pathOf(record), says: `the check finds what is accepted at once: ${brief(record)}` })),
      ...document.unreadable.map(({ path }) => ({ path, says: `the check cannot read ${path}` })),
      ...(options.strict ? this.#apart.map((line) => ({ path: '/', says: `told in another way than by a check: ${line}` })) : []),
    ];
  }

  #accept(entries) {
    const { status, stderr } = this.#site.driftline('accept', '--all');
    if (status !== 0) throw new Wrong(`accept: ${status}\n${stderr}`);
    this.#read();
    this.baseline = entries;
    const left = [...this.journal.open.values()];
    if (left.length > 0) throw new Wrong(`still open after accept --all:\n${left.slice(0, 10).map(brief).join('\n')}`);
    const wrong = this.#check(entries);
    if (wrong.length > 0) throw new Wrong(this.#explain(wrong));
  }

  /** The first things that are wrong, with what the writers did there and the journal said. */
  #explain(wrong) {
    const lines = [`${wrong.length} differences`];
    for (const { path, says } of wrong.slice(0, 8)) {
      lines.push(says);
      for (const { log, at } of this.#site.writers) {
        if (!path.startsWith(`${at}/`)) continue;
        const lineage = lineageOf(path.slice(at.length + 1));
        const did = readFileSync(log, 'latin1').split('\n').map((line) => line.split('\t'));
        const there = did.filter(([, , failed, ...paths]) => failed === '0' && paths.some((one) => lineage.has(decoded(one))));
        for (const words of there.slice(-8)) lines.push(`    ${words.join(' ')}`);
      }
      const concerns = (record) => record.path && [pathOf(record), pathOf(record, 'from')].some((one) => one === path || path.startsWith(`${one}/`));
      const ids = new Set(this.journal.fresh.filter(concerns).map(({ id }) => id));
      for (const record of this.#found.filter(concerns)) lines.push(`    check: ${brief(record)}`);
      for (const record of [...this.journal.open.values()].filter(concerns)) lines.push(`    open: ${brief(record)}`);
      const told = this.journal.fresh.filter((record) => concerns(record) || ids.has(record.id));
      for (const record of told.slice(-6)) if (record.type !== 'accept') lines.push(`    ${record.time} ${record.id} ${record.type} ${record.kind ?? ''} ${record.path ?? ''} ${record.from ?? ''}`);
    }
    const events = this.journal.fresh.filter(({ type }) => ['overflow', 'sweep', 'start', 'stop', 'coverage', 'gap'].includes(type));
    for (const record of events.slice(-12)) lines.push(`  ${JSON.stringify(record)}`);
    return `${lines.join('\n')}\n${this.#site.watch.errors().slice(-1000)}`;
  }

  end() {
    const { status, stderr } = this.#site.driftline('journal', '--verify');
    if (status !== 0) throw new Wrong(`journal --verify: ${status}\n${stderr}`);
  }
}

const TROUBLES = {
  async calm() {},
  async stop(isOver) {
    while (!isOver.value) {
      await sleep(random(150));
      this.stop();
      await sleep(random(150));
      this.resume();
    }
  },
  kill(isOver) {
    return this.kill(isOver);
  },
  flood() {
    return this.flood();
  },
};

async function main() {
  const troubles = options.trouble.split(',');
  for (const trouble of troubles) if (TROUBLES[trouble] === undefined) throw new Error(`--trouble ${trouble}\n${HELP}`);
  const site = new Site(options.fs.split(','), { who: options.who });
  const oracle = new Oracle(site);
  const begin = performance.now();
  let isKept = false;
  let isStopped = false;
  process.once('SIGINT', () => {
    site.close();
    process.exit(130);
  });
  process.once('SIGTERM', () => {
    isStopped = true;
    console.error('ends after this round');
  });
  console.log(`seed ${options.seed}, ${options.fs}, ${options.operations} operations${options.fault ? `, fault ${options.fault}` : ''}`);
  try {
    site.program = programOf(options.fault, site.directory, FAULTS, options.large === undefined ? [] : largeFrom(options.large));
    site.openWriters(Number(options.seed));
    await oracle.begin();
    let saidMs = begin;
    while (oracle.operations < Number(options.operations) && !isStopped) {
      // Each trouble once, then by chance.
      const trouble = troubles[oracle.rounds < troubles.length ? oracle.rounds : random(troubles.length)];
      await oracle.round(trouble, Number(options.round));
      if (performance.now() - saidMs < SAY_MS) continue;
      saidMs = performance.now();
      console.log(`${oracle.operations} operations, ${oracle.rounds} fences, ${((saidMs - begin) / 60_000).toFixed(0)} min`);
    }
    oracle.end();
  } catch (error) {
    isKept = options.keep;
    if (!(error instanceof Wrong)) throw error;
    if (options.fault !== undefined) {
      console.log(`noticed after ${oracle.operations} operations: ${error.message.split('\n').slice(0, 2).join(': ')}`);
      return 0;
    }
    console.log(error.message);
    return 1;
  } finally {
    const { open, counts } = oracle.journal;
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    const records = Object.entries(counts).map(([type, count]) => `${type} ${count}`).join(', ');
    console.log(`${oracle.operations} operations, ${oracle.rounds} fences (${oracle.late} late), ${oracle.kills} kills in ${seconds} s; records: ${records}; open: ${open.size}; moves told apart: ${oracle.apart}`);
    site.close(isKept);
    if (isKept) console.log(`left in ${site.directory}`);
  }
  if (options.fault === undefined) return 0;
  console.log(`the fault was not noticed: ${options.fault}`);
  return 1;
}

if (options.help) console.log(HELP);
else process.exit(await main());
