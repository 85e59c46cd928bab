// copy-modules.mjs FROM TO: copies the modules that driftline needs at run time, as package-lock.json lists them, from
// the checkout's node_modules, which the tests ran with. Fails when one is missing or of another version.
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [from, to] = process.argv.slice(2);
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
const { packages } = json(join(from, 'package-lock.json'));

/** What is of no use at run time, or for another platform or C library than the runtime's; nested modules come themselves. */
const UNUSED = new RegExp(
  [
    `/@photostructure/sqlite/(src|scripts|binding\\.gyp|prebuilds/(?!linux-${process.arch}($|/)))`,
    '/@photostructure/sqlite/prebuilds/[^/]+/[^/]*\\.musl\\.node$',
    '/koffi/((vendor|doc)(/|$)|.*\\.(cc|hh|cpp|h|c|S|asm|inc)$)',
    '/koffi-linux-[^/]+/musl_',
    '/zod/src(/|$)',
    '/node-addon-api/.*\\.(h|gypi?)$',
    '\\.(d\\.[cm]?ts|map|flow)$',
    '/node_modules/.*/node_modules$',
  ].join('|'),
);

const wanted = new Set();
visit('');
for (const path of wanted) {
  const { version } = json(join(from, path, 'package.json'));
  const expected = packages[path].version;
  if (version !== expected) throw new Error(`${path} is ${version}, package-lock.json says ${expected}`);
  const prefix = join(from, path).length - path.length;
  cpSync(join(from, path), join(to, path), {
    recursive: true,
    filter: (source) => !UNUSED.test(`/${source.slice(prefix)}`) || source === join(from, path),
  });
}

/** Dependencies and what is installed of the optional ones; not peers: cosmiconfig's typescript is never loaded. */
function visit(path) {
  const { dependencies = {}, optionalDependencies = {} } = packages[path];
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const found = resolve(path, name);
    if (found === undefined && name in optionalDependencies) continue;
    if (found === undefined) throw new Error(`${name}, wanted by ${path || 'driftline'}, is not installed`);
    if (wanted.has(found)) continue;
    wanted.add(found);
    visit(found);
  }
}

/** As Node resolves: the nearest node_modules upwards that has it. */
function resolve(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const candidate = join(at, 'node_modules', name);
    if (packages[candidate] !== undefined && existsSync(join(from, candidate))) return candidate;
    if (at === '') return undefined;
  }
}
