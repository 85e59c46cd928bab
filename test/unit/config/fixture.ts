// A directory of its own for each test, below the trusted part of /tmp, and a configuration in it.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type LoadedSettings, loadSettings } from '../../../src/config/load.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { ROOT } from '../../../src/domain/path.ts';

export function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'driftline-config-')));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function put(file: string, text: string, mode = 0o644): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
  return file;
}

/** Loads `text` as a configuration; `hooks` are the shipped hooks by name. */
export async function load(
  text: string,
  hooks: Readonly<Record<string, string>> = {},
  name = 'driftline.yaml',
): Promise<LoadedSettings> {
  const directory = temporaryDirectory();
  for (const [hook, script] of Object.entries(hooks)) put(join(directory, 'hooks', hook), script, 0o755);
  const file = put(join(directory, name), text);
  return loadSettings({ file, cwd: ROOT, hooksDir: join(directory, 'hooks') });
}

/** The problems that loading `text` reports, without the file name: `3: rules[0].name: is missing`. */
export async function problemsOf(text: string, hooks: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const error = await failureOf(load(text, hooks));
  return error.message.split('\n').map((line) => line.replace(/^.*driftline\.yaml:\s?/, ''));
}

export async function failureOf(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError && error.code === 'CONFIG') return error;
    throw error;
  }
  throw new Error('it was accepted');
}
