// Notes what logs hold before logrotate(8) rotates them; ../logrotate-prerotate says how it ends.
import { byDirectory, check } from './driftline.mjs';
import { readLog } from './log-content.mjs';
import { readFamilies } from './log-families.mjs';
import { writeNotes } from './notes.mjs';
import { pathOf } from './records.mjs';
import { tell } from './settings.mjs';

const [, , name] = process.argv;

try {
  const families = readFamilies();
  const documents = byDirectory(families.flatMap(({ paths }) => paths)).map(check);
  const covered = documents.filter((document) => document !== undefined);
  // No rule covers them: there is nothing to accept afterwards.
  if (covered.length > 0) {
    await note(
      families,
      covered.flatMap(({ drift }) => drift),
    );
  }
} catch (error) {
  tell(`the rotation will be reported as drift: ${error.message}`);
}

async function note(families, drift) {
  const drifted = new Set(drift.flatMap((one) => [pathOf(one), pathOf(one, 'from')]));
  const notes = [];
  for (const { log, paths } of families) {
    for (const path of new Set(paths)) {
      const content = await readLog(path);
      if (content === undefined) continue;
      const { prefixes: _none, ...rest } = content;
      notes.push({ log, path, ...rest, isDrift: drifted.has(path) });
    }
  }
  writeNotes(name, { logs: notes });
}
