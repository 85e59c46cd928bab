// The only import of cosmiconfig: finds and reads the configuration. Nothing is ever taken from the current directory, HOME,
// package.json or a script.
import { existsSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { cosmiconfig } from 'cosmiconfig';
import { AppError, errorCode, errorMessage } from '../domain/errors.ts';
import { escapeText } from '../domain/escape.ts';
import { type BytePath, pathFromText, pathToText } from '../domain/path.ts';
import type { Settings } from '../domain/settings.ts';
import { configError, type KeyPath, type Problem, problemText } from './problem.ts';
import { type Mistake, parseShape } from './schema.ts';
import { resolveSettings } from './settings.ts';
import { parseSource, SOURCE_MAX_BYTES, type Source } from './source-map.ts';
import { assertTrusted } from './trusted-path.ts';

export interface LoadOptions {
  /** What `--config` names; relative to `cwd`. Without it, `directory` is searched. */
  readonly file?: string | undefined;
  /** Where the command was called. */
  readonly cwd: BytePath;
  /** The directory of the hooks that come with driftline. */
  readonly hooksDir: string;
  /** Where a configuration is looked for; /etc/driftline unless a test says otherwise. */
  readonly directory?: string;
}

export interface LoadedSettings extends Settings {
  /** The configuration file. */
  readonly file: string;
  readonly warnings: readonly string[];
  /** A mistake at a key, as it is told: `file:line: key.path: what is wrong`. */
  readonly told: (path: KeyPath, message: string) => string;
}

const FILES = ['driftline.yaml', 'driftline.yml', 'driftline.json'] as const;
const EXTENSIONS = ['.yaml', '.yml', '.json'];

/**
 * Loads, checks and resolves the configuration. Leaves the process in `/` (see `openExplorer`). Throws CONFIG when there is
 * none, when it cannot be trusted, or with one line per mistake.
 */
export async function loadSettings(options: LoadOptions): Promise<LoadedSettings> {
  const { places, found } = lookFor(options);
  const [file, ...others] = found;
  if (file === undefined && options.file !== undefined) {
    throw new AppError('CONFIG', `there is no configuration ${places.map(escapeText).join(', ')}`, {
      hint: 'look at the name after --config',
    });
  }
  if (file === undefined) {
    throw new AppError('CONFIG', `no configuration: looked at ${places.map(escapeText).join(', ')}`, {
      hint: 'write one of these, or name one with --config FILE, or use --baseline FILE PATH...',
    });
  }
  assertReadable(file);
  const source = await readSource(file);
  const shape = parseShape(source.value);
  if ('mistakes' in shape) throw configError(file, placed(source, shape.mistakes));
  const { settings, mistakes, warnings } = resolveSettings(shape.shape, options.hooksDir);
  if (mistakes.length > 0) throw configError(file, placed(source, mistakes));
  return {
    ...settings,
    file,
    warnings: [
      ...others.map((other) => `${escapeText(other)} is not used, because ${escapeText(file)} exists`),
      ...placed(source, warnings).map((warning) => problemText(file, warning)),
    ],
    told: (path, message) => problemText(file, { line: source.lineOf(path), path, message }),
  };
}

function placed(source: Source, mistakes: readonly Mistake[]): Problem[] {
  return mistakes.map(({ path, message }) => ({ line: source.lineOf(path), path, message }));
}

function lookFor({ file, cwd, directory = '/etc/driftline' }: LoadOptions): { places: string[]; found: string[] } {
  const places = file === undefined ? FILES.map((name) => `${directory}/${name}`) : [resolve(pathToText(cwd), file)];
  return { places, found: places.filter(isThere) };
}

/** False only when nothing is there; what cannot be looked at is found, and refused with its reason later. */
function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return errorCode(error) !== 'ENOTDIR';
  }
}

function assertReadable(file: string): void {
  const shown = escapeText(file);
  if (!EXTENSIONS.includes(extname(file))) {
    throw new AppError('CONFIG', `${shown}: must end in ${EXTENSIONS.join(', ')}`, {
      hint: 'configurations are YAML or JSON',
    });
  }
  assertTrusted(pathFromText(file), 'configuration');
  const stats = statSync(file);
  if (!stats.isFile()) throw new AppError('CONFIG', `${shown}: is not a regular file`);
  if (stats.size > SOURCE_MAX_BYTES) throw new AppError('CONFIG', `${shown}: is larger than ${SOURCE_MAX_BYTES} bytes`);
}

async function readSource(file: string): Promise<Source> {
  try {
    const result: unknown = (await openExplorer().load(file))?.config;
    // A Source and not its value comes out of the loader, so that cosmiconfig never sees (and follows) an `$import`.
    if (isSource(result)) return result;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('CONFIG', `${escapeText(file)}: ${errorMessage(error)}`, { cause: error });
  }
  throw new AppError('CONFIG', `${escapeText(file)}: holds no configuration`, { hint: 'it needs at least one rule' });
}

function isSource(value: unknown): value is Source {
  return typeof value === 'object' && value !== null && 'lineOf' in value;
}

/** What an explorer runs as a script when it finds it in the current directory. */
const META_FILES = ['json', 'yaml', 'yml', 'js', 'ts', 'cjs', 'mjs'].map((extension) => `/.config/config.${extension}`);

/**
 * cosmiconfig (9.0.2, 10.0.1) looks for its own settings in the current directory and executes `./.config/config.js` there
 * with our privileges, whatever its options say; so the current directory must be one that only root can write to.
 */
function openExplorer(): ReturnType<typeof cosmiconfig> {
  process.chdir('/');
  const trap = META_FILES.find((file) => existsSync(file));
  if (trap !== undefined) {
    throw new AppError('CONFIG', `${trap} exists and would be executed`, { hint: `remove ${trap}` });
  }
  const parse = parseSource;
  return cosmiconfig('driftline', {
    searchPlaces: [...FILES],
    searchStrategy: 'none',
    cache: false,
    loaders: {
      '.yaml': parse,
      '.yml': parse,
      '.json': parse,
      '.js': refuse,
      '.ts': refuse,
      '.cjs': refuse,
      '.mjs': refuse,
      noExt: refuse,
    },
  });
}

function refuse(file: string): never {
  throw new AppError('CONFIG', `${escapeText(file)}: only YAML and JSON are read`);
}
