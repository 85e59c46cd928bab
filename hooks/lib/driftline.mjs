// What hooks of other programs ask of driftline: what differs now, and to accept exactly that.
import { spawnSync } from 'node:child_process';
import { pathOf } from './records.mjs';
import { EX_USAGE, setting, tell } from './settings.mjs';

/** Bytes of paths in one command line; a tenth of what Linux takes. */
const ARGUMENTS_BYTES = 200_000;
/** What changes between the look and the acceptance is looked at again. */
const ATTEMPTS = 3;

/**
 * The document of `driftline check`; without paths (latin1 text) of everything, `--quick`. Undefined when there is none: no
 * rule covers them, there is no baseline; driftline has said why.
 */
export function check(paths = []) {
  const args = paths.length === 0 ? ['--quick'] : ['--', ...paths.map(bytesOf)];
  const ran = driftline(['check', '--json', ...args]);
  return ran.status <= 15 ? JSON.parse(ran.stdout.toString()) : undefined;
}

/** A rule may cover one directory, and not the other: what is asked about both is refused. */
export function byDirectory(paths) {
  const found = new Map();
  for (const path of new Set(paths)) {
    const directory = path.slice(0, path.lastIndexOf('/'));
    const known = found.get(directory);
    if (known === undefined) found.set(directory, [path]);
    else known.push(path);
  }
  return [...found.values()];
}

/**
 * Accepts what `isGood` says of drift records at these paths. What is accepted is what was looked at: driftline refuses when
 * anything there has changed since. Returns the numbers of drifts.
 */
export function acceptGood(paths, isGood) {
  const total = { accepted: 0, left: 0 };
  for (const portion of portions(paths)) {
    const { accepted, left } = acceptPortion(portion, isGood);
    total.accepted += accepted;
    total.left += left;
  }
  return total;
}

/** Both names of a move. */
export function namesOf(drift) {
  return [pathOf(drift), pathOf(drift, 'from')].filter((path) => path !== undefined);
}

function acceptPortion(paths, isGood) {
  let [wanted, left] = [paths, 0];
  for (let attempt = 0; attempt < ATTEMPTS && wanted.length > 0; attempt += 1) {
    const document = check(wanted);
    if (document === undefined || document.drift.length === 0) break;
    const bad = document.drift.filter((drift) => !isGood(drift));
    left += bad.length;
    if (bad.length === 0) {
      const ran = driftline(['accept', '--json', '--report', document.report, '--', ...wanted.map(bytesOf)]);
      if (ran.status === 0) return { accepted: document.drift.length, left };
      continue;
    }
    // The path of a directory stands for everything in it: it goes, too, when something in it is not good.
    const names = bad.flatMap(namesOf);
    wanted = wanted.filter((path) => !names.some((other) => isWithin(other, path)));
  }
  return { accepted: 0, left };
}

function isWithin(path, directory) {
  return path === directory || path.startsWith(`${directory}/`);
}

/** Not too long for a command line. */
function portions(paths) {
  const found = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const path of [...new Set(paths)].sort()) {
    bytes += path.length + 9;
    if (bytes > ARGUMENTS_BYTES) {
      found.push([]);
      bytes = path.length;
    }
    found.at(-1).push(path);
  }
  return found;
}

/**
 * Node encodes arguments as UTF-8: other bytes go through a shell that reads them from its input. Names are data there, too.
 */
function driftline(args) {
  const options = ['--quiet', '--no-progress', ...optionOf('config'), ...optionOf('baseline')];
  const input = Buffer.concat(
    [setting('PROGRAM', 'driftline'), ...options, ...args].flatMap((word) => [Buffer.from(word), Buffer.of(0)]),
  );
  const ran = spawnSync('xargs', ['-0', '-x', '-s', '1000000', 'sh', '-c', '"$@" </dev/null; echo $? >&3', 'sh'], {
    input,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    maxBuffer: 2 ** 30,
  });
  if (ran.error !== undefined) {
    tell(`driftline cannot be started: ${ran.error.code}`);
    return { status: 127, stdout: Buffer.alloc(0) };
  }
  const status = Number(String(ran.output[3] ?? '127'));
  // EX_USAGE: no rule covers the path, and that is no trouble.
  if (status !== EX_USAGE) process.stderr.write(ran.stderr);
  return { status, stdout: ran.stdout };
}

function optionOf(name) {
  const value = setting(name.toUpperCase());
  return value === undefined ? [] : [`--${name}`, value];
}

function bytesOf(path) {
  return Buffer.from(path, 'latin1');
}
