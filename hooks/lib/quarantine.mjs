// Copies drifted files aside; ../quarantine says what it reads and how it ends.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { inDirectoryOf, openForReading } from './no-follow.mjs';
import { pathOf, readRecords } from './records.mjs';
import { EX_IOERR, fail, numberSetting, setting, tell } from './settings.mjs';

const target = setting('TARGET');
if (target === undefined || !isAbsolute(target)) fail('DRIFTLINE_TARGET must be an absolute path');
const maxBytes = numberSetting('MAX_BYTES', 100 * 1024 * 1024);
const limit = numberSetting('LIMIT', 1000);

const wanted = readRecords().filter(({ type, kind }) => type === 'drift' && kind !== 'removed');
try {
  makeDirectory(target);
  for (const record of wanted.slice(0, limit)) keep(record);
} catch (error) {
  fail(error.message, EX_IOERR);
}
if (wanted.length > limit) tell(`${wanted.length - limit} more were not copied: DRIFTLINE_LIMIT is ${limit}`);

function keep(record) {
  const path = pathOf(record);
  if (path === undefined) return;
  const day = join(target, /^\d{4}-\d\d-\d\d/.exec(String(record.time))?.[0] ?? 'undated');
  const place = join(day, `${plain(record.id)}-${plain(record.seq ?? 0)}`);
  if (existsSync(place)) return;
  makeDirectory(day);
  // Complete, or not there: a run that was killed leaves a name that begins with a dot.
  const made = mkdtempSync(join(day, '.making-'));
  try {
    const details = {
      ...copyContent(Buffer.from(path, 'latin1'), join(made, 'content')),
      process: processOf(record.actor),
    };
    writeFile(join(made, 'record.json'), `${JSON.stringify(record, undefined, 1)}\n`);
    writeFile(join(made, 'details.json'), `${JSON.stringify(details, undefined, 1)}\n`);
    chmodSync(made, 0o500);
    renameSync(made, place);
  } catch (error) {
    chmodSync(made, 0o700);
    rmSync(made, { recursive: true });
    throw error;
  }
}

/** Not recursive: below /proc, Node's recursive mkdir never returns. */
function makeDirectory(path) {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

function plain(word) {
  return String(word)
    .replace(/[^A-Za-z0-9]/g, '_')
    .slice(0, 64);
}

function writeFile(file, text) {
  writeFileSync(file, text, { flag: 'wx', mode: 0o400, flush: true });
}

/** What is there now; a file that is gone or cannot be read is told of, not copied. */
function copyContent(path, to) {
  let found;
  try {
    found = inDirectoryOf(path, openForReading);
  } catch (error) {
    if (error.code === undefined) throw error;
    return { problem: error.code };
  }
  const { descriptor, stat, target: link } = found;
  if (descriptor === undefined)
    return { ...statFields(stat), target: link?.toString(), targetBytes: link?.toString('base64') };
  try {
    const opened = fstatSync(descriptor, { bigint: true });
    return opened.isFile() ? { ...statFields(opened), ...copy(descriptor, to) } : { problem: 'it changed its type' };
  } catch (error) {
    if (error.syscall !== 'read') throw error;
    return { ...statFields(stat), problem: error.code };
  } finally {
    closeSync(descriptor);
  }
}

function statFields(stat) {
  const times = Object.fromEntries(
    ['atime', 'mtime', 'ctime', 'birthtime'].map((name) => [`${name}Ns`, String(stat[`${name}Ns`])]),
  );
  const numbers = Object.fromEntries(
    ['dev', 'ino', 'nlink', 'uid', 'gid', 'size'].map((name) => [name, String(stat[name])]),
  );
  return { mode: (Number(stat.mode) & 0o177777).toString(8), ...numbers, ...times };
}

function copy(from, file) {
  const to = openSync(file, 'wx', 0o400);
  try {
    const [hash, chunk] = [createHash('sha256'), Buffer.alloc(1024 * 1024)];
    let bytes = 0;
    while (bytes < maxBytes) {
      const read = readSync(from, chunk, 0, Math.min(chunk.length, maxBytes - bytes), null);
      if (read === 0) break;
      hash.update(chunk.subarray(0, read));
      writeAll(to, chunk.subarray(0, read));
      bytes += read;
    }
    fchmodSync(to, 0o400);
    fsyncSync(to);
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    closeSync(to);
  }
}

function writeAll(to, bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(to, bytes, at);
}

/** Only of the process that the record means: its program must be the same, for pids are used again. */
function processOf(actor) {
  const { pid, exe } = actor ?? {};
  if (!Number.isInteger(pid) || typeof exe !== 'string') return undefined;
  const of = (name, read) => {
    try {
      return read(`/proc/${pid}/${name}`);
    } catch {
      return undefined;
    }
  };
  if (of('exe', (file) => readlinkSync(file)) !== exe) return undefined;
  const text = (file) => readFileSync(file, 'latin1');
  return {
    cmdline: of('cmdline', text)?.split('\0').slice(0, -1),
    cwd: of('cwd', (file) => readlinkSync(file)),
    status: of('status', text),
    cgroup: of('cgroup', text),
    open: of('fd', (dir) => readdirSync(dir).flatMap((name) => of(`fd/${name}`, (file) => readlinkSync(file)) ?? [])),
    maps: of('maps', text),
  };
}
