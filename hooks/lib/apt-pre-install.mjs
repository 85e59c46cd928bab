// Notes what the packages that apt(8) is about to install hold; ../apt-pre-install says what it reads and how it ends.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { openDigestEngine } from '../../dist/disk/digest.js';
import { canonicalPath, diversions, groupId, statOverrides, userId } from './dpkg.mjs';
import { writeNotes } from './notes.mjs';
import { readInput, tell } from './settings.mjs';
import { readTar } from './tar.mjs';

const INFO = '/var/lib/dpkg/info';
const digests = openDigestEngine();
/** Path to the states that are expected there, of which one will do; latin1 text. */
const expected = new Map();
const [diverted, overridden] = [diversions(), statOverrides()];

try {
  for (const action of actionsOf(readInput().toString('latin1'))) await note(action);
  writeNotes('apt', { paths: [...expected] });
} catch (error) {
  // apt would stop. Without notes, what it changes is drift: nothing is missed.
  tell(`what apt installs will be reported as drift: ${error.message}`);
}

/** Versions 1 to 3 of the protocol (apt.conf(5), DPkg::Pre-Install-Pkgs). */
function actionsOf(input) {
  const lines = input.split('\n').filter((line) => line !== '');
  if (!/^VERSION [23]$/.test(lines[0] ?? '')) return lines.map((file) => ({ file }));
  // After an empty line, which is gone here; the lines of apt's configuration have a "=" and no sign of comparison.
  const rest = input.slice(input.indexOf('\n\n') + 2).split('\n');
  return rest
    .map((line) => line.split(' '))
    .filter((words) => words.length >= 5)
    .map(actionOf);
}

function actionOf(words) {
  const at = words.findIndex((word) => /^[<>=]$/.test(word));
  const action = { name: words[0], arch: at === 4 ? words[2] : undefined };
  const last = words.at(-1) ?? '';
  return last.startsWith('/') ? { ...action, file: last } : { ...action, isRemoval: last === '**REMOVE**' };
}

async function note({ name, arch, file, isRemoval }) {
  if (file === undefined && !isRemoval) return;
  const holder = name ?? (await fieldOf(file, 'Package'));
  const added = file === undefined ? new Set() : await noteContents(file, holder);
  for (const path of installedPaths(holder, arch)) if (!added.has(path)) expect(path, { type: 'absent' });
}

function expect(path, state) {
  const states = expected.get(path);
  if (states === undefined) expected.set(path, [state]);
  else states.push(state);
}

function installedPaths(name, arch) {
  const lists = [`${INFO}/${name}:${arch}.list`, `${INFO}/${name}.list`].filter((list) => existsSync(list));
  const lines = lists.slice(0, 1).flatMap((list) => readFileSync(list, 'latin1').split('\n'));
  return lines.filter((line) => line !== '' && line !== '/.').map(canonicalPath);
}

async function fieldOf(file, field) {
  const chunks = [];
  for await (const chunk of output(['--field', file, field])) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1').trim();
}

/** The paths. */
async function noteContents(file, holder) {
  const files = new Map();
  for await (const member of readTar(output(['--fsys-tarfile', file]))) {
    const path = member.name.replace(/^\.?\/*/, '/').replace(/\/+$/, '');
    if (path === '') continue;
    files.set(path, await stateOf(member, path, files));
  }
  const paths = new Set();
  for (const [named, state] of files) {
    const path = canonicalPath(diverted(named, holder));
    paths.add(path);
    expect(path, state);
    // Where a configuration file was changed by hand, dpkg(1) puts the new one beside it.
    if (state.type === 'file') for (const ending of ['.dpkg-new', '.dpkg-dist']) expect(`${path}${ending}`, state);
  }
  return paths;
}

async function stateOf(member, path, files) {
  if (member.type === 'link') return files.get(member.target.replace(/^\.?\/*/, '/')) ?? { type: 'unknown' };
  const owner = { mode: member.mode, uid: userId(member.user, member.uid), gid: groupId(member.group, member.gid) };
  const state = { type: member.type, ...owner, ...overridden(path) };
  if (member.type === 'symlink') return { type: 'symlink', target: member.target };
  return member.type === 'file' ? { ...state, digest: await digestOf(member.content) } : state;
}

async function digestOf(content) {
  const stream = digests.stream();
  for await (const part of content) stream.update(part);
  return Buffer.from(stream.finish()).toString('hex');
}

/** Standard output of dpkg-deb(1), which must succeed. */
async function* output(args) {
  const child = spawn('dpkg-deb', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  yield* child.stdout;
  const status = await ended;
  if (status !== 0) throw new Error(`dpkg-deb ended with ${status}`);
}
