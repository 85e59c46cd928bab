// Accepts what is as the packages have it; ../apt-post-invoke says what it reads and how it ends.

import { canonicalPath } from './dpkg.mjs';
import { acceptGood, check, namesOf } from './driftline.mjs';
import { readNotes, removeNotes, writeNotes } from './notes.mjs';
import { pathOf } from './records.mjs';
import { tell } from './settings.mjs';

/** A transaction that is interrupted is gone on with by hand, sooner or later. */
const MAX_AGE_MS = 6 * 3600 * 1000;

try {
  const notes = readNotes('apt', MAX_AGE_MS);
  if (notes !== undefined) settle(new Map(notes.paths.map(([path, states]) => [canonicalPath(path), states])));
} catch (error) {
  tell(`what apt installed stays reported as drift: ${error.message}`);
}

function settle(expected) {
  const isGood = (drift) => isExpected(drift, expected);
  const candidates = check()?.drift.filter(isGood) ?? [];
  const { accepted } = acceptGood(candidates.flatMap(namesOf), isGood);
  if (accepted > 0) tell(`${accepted} drifts are as the packages have them: accepted`);
  // What has been accepted is not expected a second time.
  for (const drift of candidates) expected.delete(pathOf(drift));
  if (expected.size > 0) writeNotes('apt', { paths: [...expected] });
  else removeNotes('apt');
}

function isExpected(drift, expected) {
  if (drift.kind === 'removed') return (expected.get(pathOf(drift)) ?? []).some(({ type }) => type === 'absent');
  if (drift.kind === 'moved') {
    const wasMeant = (expected.get(pathOf(drift, 'from')) ?? []).some(({ type }) => type === 'absent');
    if (!wasMeant || drift.entries !== undefined) return false;
  }
  return (expected.get(pathOf(drift)) ?? []).some((state) => isLike(drift, state));
}

function isLike({ before, after }, state) {
  if (after === undefined || after.type !== state.type) return false;
  if (state.type === 'symlink') return targetOf(after) === state.target;
  const sameOwner = Number.parseInt(after.mode, 8) === state.mode && after.uid === state.uid && after.gid === state.gid;
  // A package has neither: what it came to by another way has to be looked at.
  const sameRest = ['xattrs', 'flags'].every((name) => isEmpty(after[name]) || same(before?.[name], after[name]));
  return sameOwner && sameRest && (state.type !== 'file' || after.digest === state.digest);
}

function targetOf({ target, targetBytes }) {
  return Buffer.from(targetBytes ?? target ?? '', targetBytes === undefined ? 'utf8' : 'base64').toString('latin1');
}

function isEmpty(value) {
  return value === undefined || value === '' || Object.keys(value).length === 0;
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
