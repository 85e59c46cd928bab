// Accepts a rotation as far as what was noted before it has come to light again under a new name; ../logrotate-prerotate
// says what that means.
import { escapePath } from '../../dist/domain/escape.js';
import { acceptGood, byDirectory } from './driftline.mjs';
import { readLog } from './log-content.mjs';
import { readFamilies } from './log-families.mjs';
import { readNotes, removeNotes } from './notes.mjs';
import { pathOf } from './records.mjs';
import { tell } from './settings.mjs';

/** From the first of logrotate's scripts to the last: compression takes its time. */
const MAX_AGE_MS = 24 * 3600 * 1000;
const [, , name] = process.argv;

try {
  const notes = readNotes(name, MAX_AGE_MS);
  removeNotes(name);
  if (notes !== undefined) await settle(notes.logs);
} catch (error) {
  tell(`the rotation stays reported as drift: ${error.message}`);
}

async function settle(noted) {
  const paths = [...new Set([...noted.map(({ path }) => path), ...readFamilies().flatMap((family) => family.paths)])];
  const rotation = await lookAt(noted, paths);
  // No baseline knows what was added to a log since it was accepted: that it is gone is told here, or nowhere.
  for (const note of noted.filter((one) => isLost(one, rotation))) {
    tell(`what ${escapePath(note.path)} held has not come to light again`);
  }
  const results = byDirectory(paths).map((portion) => acceptGood(portion, (drift) => isGood(drift, rotation)));
  const left = results.reduce((sum, result) => sum + result.left, 0);
  if (left > 0) tell(`${left} drifts are not what a rotation makes; they stay reported`);
}

/**
 * `origins`: of each path that is there, the notes of which it has the content. `places`: of each note, where its content is
 * now. What was drift before the rotation is left out: a rotation does not make it good.
 */
async function lookAt(noted, paths) {
  const sound = noted.filter(({ isDrift }) => !isDrift);
  const [origins, places] = [new Map(), new Map(sound.map((note) => [note, []]))];
  for (const path of paths) {
    const now = await readLog(
      path,
      sound.map(({ bytes }) => bytes),
    );
    if (now === undefined) continue;
    const from = sound.filter((note) => isFrom(now, note));
    origins.set(path, from);
    for (const note of from) places.get(note).push(path);
  }
  return { sound, origins, places };
}

/** Only the log itself may have grown since it was noted. */
function isFrom(now, note) {
  const isLongEnough = note.path === note.log ? now.bytes >= note.bytes : now.bytes === note.bytes;
  return note.bytes > 0 && isLongEnough && now.prefixes.get(note.bytes) === note.digest;
}

function isGood(drift, rotation) {
  const [path, from] = [pathOf(drift), pathOf(drift, 'from')];
  if (drift.kind === 'removed') return isRightlyGone(path, rotation);
  if (from !== undefined && !isRightlyGone(from, rotation)) return false;
  const { after } = drift;
  if (after?.type !== 'file') return false;
  const origins = (rotation.origins.get(path) ?? []).filter((note) => note.path !== path || !isActive(note));
  const model = origins[0] ?? successorOf(path, rotation);
  return model !== undefined && isNoMore(after, model);
}

/** A log that begins anew where one was whose content has come to light elsewhere: nobody can say what belongs into it. */
function successorOf(path, { sound, places }) {
  const note = sound.find((one) => one.path === path && isActive(one));
  return note !== undefined && (note.bytes === 0 || places.get(note).some((place) => place !== path))
    ? note
    : undefined;
}

function isActive({ log, path }) {
  return log === path;
}

function isLost(note, rotation) {
  const isKept = note.isDrift || note.bytes === 0 || rotation.places.get(note).length > 0;
  return !isKept && !isRightlyGone(note.path, rotation);
}

/** Its content is elsewhere, or it was the oldest. */
function isRightlyGone(path, { sound, places }) {
  const note = sound.find((one) => one.path === path);
  if (note === undefined) return false;
  if (note.bytes === 0 || places.get(note).some((place) => place !== path)) return true;
  const kept = sound.filter((one) => one.log === note.log && places.get(one).length > 0);
  return !isActive(note) && kept.every(({ mtimeMs }) => mtimeMs >= note.mtimeMs);
}

/** The same owner, and no more rights; no extended attributes or flags. */
function isNoMore({ mode, uid, gid, xattrs, flags }, model) {
  const isBare = Object.keys(xattrs ?? {}).length === 0 && (flags ?? '') === '';
  return isBare && (Number.parseInt(mode, 8) & ~model.mode) === 0 && uid === model.uid && gid === model.gid;
}
