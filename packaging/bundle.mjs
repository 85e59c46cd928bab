// bundle.mjs [CHECKOUT]: after tsc, puts bundles in the place of what the program starts with: a command is under way in two thirds
// of the time when Node finds, reads and links forty files instead of four hundred. The library, and what hook scripts import, stay
// as tsc wrote them.
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

/** What has a native part or modules of its own to find, or is rarely needed, stays where npm put it. */
const OUTSIDE = ['koffi', '@napi-rs/blake-hash', '@photostructure/sqlite', 'blake3', 'cosmiconfig', 'execa'];

/** Most commands need nearly all of these: one file each. Everything else is cut by which command needs it. */
const WHOLE = ['src/domain', 'src/libc', 'src/disk', 'src/sqlite', 'src/report', 'node_modules/zod', 'node_modules/yaml'];

/** What starts the threads, before anything else is loaded. */
const EARLY = /\/src\/(disk\/(early|start-worker|protocol)|domain\/built-file)\.ts$/;

/** One folder below dist/, as the entries: a path relative to a module leads to the same file. */
const CHUNKS = 'program';

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
const dist = join(root, 'dist');
const written = await bundle('cli/main', {
  includeDependenciesRecursively: false,
  groups: [
    { name: 'early', test: EARLY, priority: 1 },
    ...WHOLE.map((folder) => ({ name: folder.replace(/.*\//, ''), test: new RegExp(`/${folder}/`) })),
  ],
});
// Not before: a program that runs meanwhile may want one of the files.
for (const name of readdirSync(join(dist, CHUNKS))) if (!written.has(`${CHUNKS}/${name}`)) rmSync(join(dist, CHUNKS, name));
// The threads that nearly every run starts: a file each.
for (const thread of ['disk/worker', 'watch/reader']) await bundle(thread, false);

/** Returns the names of the files that it wrote, in dist/. */
async function bundle(entry, codeSplitting) {
  const built = await rolldown({
    input: { [entry]: join(root, 'src', `${entry}.ts`) },
    external: OUTSIDE,
    platform: 'node',
    preserveEntrySignatures: false,
    // A module that one command loads at once and another on demand: as meant.
    checks: { ineffectiveDynamicImport: false },
    onLog: (_, { message }) => {
      throw new Error(message);
    },
  });
  const { output } = await built.write({
    dir: dist,
    entryFileNames: '[name].js',
    chunkFileNames: `${CHUNKS}/[name].js`,
    codeSplitting,
  });
  await built.close();
  return new Set(output.map(({ fileName }) => fileName));
}
