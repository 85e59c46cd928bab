// `--format aide`: the layout of AIDE's plain report, for eyes and scripts that are used to it. A move is one entry removed
// and one added, which is what AIDE makes of it. The lines wait in memory until the end, because the counts come first.
import type { Attribute } from '../domain/attribute.ts';
import type { DriftRecord } from '../domain/drift.ts';
import type { Entry, FileType, Xattr } from '../domain/entry.ts';
import { incompleteText } from '../domain/entry.ts';
import { escapePath } from '../domain/escape.ts';
import { attributeChanges } from './attribute-text.ts';
import { coverageLine } from './coverage-text.ts';
import type { CheckSummary, Report } from './format.ts';
import { trustText } from './text.ts';
import { timeTextMs } from './time-text.ts';

interface Lines {
  readonly added: string[];
  readonly removed: string[];
  readonly changed: string[];
  readonly unreadable: string[];
  readonly details: string[];
}

export function aideReport(): Report {
  const lines: Lines = { added: [], removed: [], changed: [], unreadable: [], details: [] };
  return {
    begin: () => '',
    drift: (record) => {
      collect(lines, record);
      return '';
    },
    incomplete: ({ path, errno }) => {
      lines.unreadable.push(`${escapePath(path)}: ${incompleteText(errno)}`);
      return '';
    },
    end: (summary) => `${layOut(lines, summary).join('\n')}\n`,
  };
}

function collect(lines: Lines, record: DriftRecord): void {
  const { kind, path, from, before, after } = record;
  if (after !== undefined && kind !== 'changed') lines.added.push(outline(after, '+', path));
  if (before !== undefined && kind !== 'changed') lines.removed.push(outline(before, '-', from ?? path));
  if (kind !== 'changed' || before === undefined || after === undefined) return;
  lines.changed.push(`${changeLetters(record.changed, before, after)}: ${escapePath(path)}`);
  lines.details.push('', `${TITLES[after.type]}: ${escapePath(path)}`, ...details(record.changed, before, after));
}

const TYPE_LETTERS: Readonly<Record<FileType, string>> = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  char: 'c',
  block: 'b',
};

const TITLES: Readonly<Record<FileType, string>> = {
  file: 'File',
  directory: 'Directory',
  symlink: 'Link',
  fifo: 'FIFO',
  socket: 'Socket',
  char: 'Character device',
  block: 'Block device',
};

function outline(entry: Entry, sign: '+' | '-', path: DriftRecord['path']): string {
  return `${TYPE_LETTERS[entry.type]}${sign.repeat(17)}: ${escapePath(path)}`;
}

/** AIDE 0.18's `YlZbpugamcinHAXSEC`: a letter differs, `.` is equal, a blank is not compared (blocks, access time). */
function changeLetters(changed: readonly Attribute[], before: Entry, after: Entry): string {
  const has = (name: Attribute, letter: string): string => (changed.includes(name) ? letter : '.');
  const xattrs = changed.includes('xattrs') ? changedXattrs(before.xattrs, after.xattrs) : [];
  const of = (letter: string): string => (xattrs.some((name) => xattrLetter(name) === letter) ? letter : '.');
  const size = !changed.includes('size') ? '=' : after.sizeBytes < before.sizeBytes ? '<' : '>';
  return [
    changed.includes('type') ? '!' : TYPE_LETTERS[after.type],
    after.type === 'symlink' ? has('target', 'l') : ' ',
    size,
    ' ',
    has('mode', 'p'),
    has('uid', 'u'),
    has('gid', 'g'),
    ' ',
    has('mtime', 'm'),
    has('ctime', 'c'),
    has('inode', 'i'),
    has('nlink', 'n'),
    has('digest', 'H'),
    of('A'),
    of('X'),
    of('S'),
    has('flags', 'E'),
    of('C'),
  ].join('');
}

function changedXattrs(before: readonly Xattr[], after: readonly Xattr[]): string[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const valueIn = (xattrs: readonly Xattr[], name: string): string | undefined => {
    const found = xattrs.find((xattr) => xattr.name === name);
    return found === undefined ? undefined : Buffer.from(found.value).toString('latin1');
  };
  return names.filter((name) => valueIn(before, name) !== valueIn(after, name));
}

/** AIDE has columns of their own for ACLs, SELinux labels and capabilities; all of them are extended attributes. */
function xattrLetter(name: string): string {
  if (name.startsWith('system.posix_acl_')) return 'A';
  if (name === 'security.selinux') return 'S';
  return name === 'security.capability' ? 'C' : 'X';
}

const DETAIL_NAMES: Readonly<Partial<Record<string, string>>> = {
  type: 'Type',
  mode: 'Perm',
  uid: 'Uid',
  gid: 'Gid',
  size: 'Size',
  mtime: 'Mtime',
  ctime: 'Ctime',
  inode: 'Inode',
  nlink: 'Linkcount',
  rdev: 'Rdev',
  target: 'Lname',
  digest: 'BLAKE3',
  flags: 'E2FSAttrs',
};

function details(changed: readonly Attribute[], before: Entry, after: Entry): string[] {
  return attributeChanges(changed, before, after).flatMap((change) => {
    const title = (DETAIL_NAMES[change.name] ?? change.name).padEnd(10);
    const sides = change.name === 'mode' ? [permissions(before), permissions(after)] : [change.before, change.after];
    const times = change.name === 'mtime' || change.name === 'ctime' ? sides.map(aideTime) : sides;
    return inColumns(title, times[0] ?? '', times[1] ?? '');
  });
}

/** `-rw-r--r--`, as ls(1) writes it. */
function permissions({ type, mode }: Entry): string {
  const special = [0o4000, 0o2000, 0o1000].map((bit) => (mode & bit) !== 0);
  const triples = [6, 3, 0].map((shift, index) => {
    const bits = (mode >> shift) & 7;
    const execute = (bits & 1) !== 0;
    const letter = index === 2 ? 't' : 's';
    const last = special[index] === true ? (execute ? letter : letter.toUpperCase()) : execute ? 'x' : '-';
    return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${last}`;
  });
  return (type === 'file' ? '-' : TYPE_LETTERS[type]) + triples.join('');
}

/** `2026-11-20 23:55:52 +0000` out of RFC 3339. */
function aideTime(time: string): string {
  return time.replace('T', ' ').replace(/\..*$/, ' +0000');
}

const COLUMN = 32;

/** Old and new side by side; what is longer goes on below. */
function inColumns(title: string, before: string, after: string): string[] {
  const rows = Math.max(1, Math.ceil(Math.max(before.length, after.length) / COLUMN));
  return Array.from({ length: rows }, (_, row) => {
    const [old, now] = [before, after].map((text) => text.slice(row * COLUMN, (row + 1) * COLUMN));
    return ` ${row === 0 ? title : ' '.repeat(title.length)}: ${(old ?? '').padEnd(COLUMN)} | ${now ?? ''}`.trimEnd();
  });
}

function layOut(lines: Lines, summary: CheckSummary): string[] {
  const { added, removed, changed, unreadable } = lines;
  const differs = added.length + removed.length + changed.length > 0;
  const start = aideTime(timeTextMs(summary.startMs));
  const seconds = Math.round((summary.endMs - summary.startMs) / 1000);
  return [
    `Start timestamp: ${start} (driftline)`,
    differs
      ? 'driftline found differences between baseline and filesystem!!'
      : 'driftline found NO differences between baseline and filesystem. Looks okay!!',
    '',
    'Summary:',
    `  Total number of entries:\t${summary.entries}`,
    `  Added entries:\t\t${added.length}`,
    `  Removed entries:\t\t${removed.length}`,
    `  Changed entries:\t\t${changed.length}`,
    ...(summary.quick === undefined ? [] : ['', trustText(summary.quick)]),
    ...section('Added entries', added),
    ...section('Removed entries', removed),
    ...section('Changed entries', changed),
    ...section('Unreadable entries', unreadable),
    ...section('Watched mounts', summary.coverage.map(coverageLine)),
    ...(lines.details.length === 0 ? [] : [...heading('Detailed information about changes'), ...lines.details]),
    '',
    `End timestamp: ${aideTime(timeTextMs(summary.endMs))} (run time: ${Math.floor(seconds / 60)}m ${seconds % 60}s)`,
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [...heading(title), '', ...lines.toSorted(byPath)];
}

const RULE = '-'.repeat(51);

function heading(title: string): string[] {
  return ['', RULE, `${title}:`, RULE];
}

/** By what follows the letters. */
function byPath(a: string, b: string): number {
  const [left, right] = [a.slice(a.indexOf(': ')), b.slice(b.indexOf(': '))];
  return left < right ? -1 : left > right ? 1 : 0;
}
