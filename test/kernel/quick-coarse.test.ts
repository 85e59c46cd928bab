// `check --quick` on a filesystem that keeps whole seconds: what is written to again within the second of `init` has the same
// times, size and inode as before, and is found nevertheless.
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openHasher } from '../../src/disk/digest.ts';
import { pathFromText } from '../../src/domain/path.ts';
import { compileScope } from '../../src/domain/rule.ts';
import { init } from '../../src/engine/init.ts';
import { survey } from '../../src/engine/survey.ts';
import { openStore } from '../../src/sqlite/store.ts';
import { diskOver, ruleOver, scopeOf, settle, temporaryDirectory } from '../unit/disk/fixture.ts';
import { needCapabilities } from './capability.ts';
import { Scratch } from './scratch.ts';

beforeEach(needCapabilities);

const nothing = (): void => {};

function scene() {
  const scratch = new Scratch();
  onTestFinished(() => scratch[Symbol.dispose]());
  const root = join(scratch.coarse('coarse'), 'root');
  mkdirSync(root);
  const scope = scopeOf(ruleOver([root]));
  const disk = diskOver(scope);
  const store = openStore({
    path: pathFromText(join(temporaryDirectory(), 'b.db')),
    mode: 'create',
    hash: openHasher(),
  });
  onTestFinished(() => store.close());
  return { root, disk, store, scope: compileScope(scope), roots: [pathFromText(root)] };
}

type Scene = ReturnType<typeof scene>;

async function build({ disk, store, roots }: Scene): Promise<void> {
  const { signal } = new AbortController();
  await init(disk, store, { roots, signal, onPortion: nothing, onIncomplete: nothing, record: () => '{}' });
}

async function quickly({ disk, store, scope, roots }: Scene): Promise<{ found: string[]; trusted: number }> {
  const found: string[] = [];
  let trusted = 0;
  const onPortion = (portion: { readonly trusted: number }): void => {
    trusted += portion.trusted;
  };
  for await (const finding of survey({ disk, baseline: store.baseline, scope }, roots, { quick: true, onPortion }))
    if (finding.kind === 'changed') found.push(`${finding.after.path}: ${finding.changed.join(' ')}`);
  return { found, trusted };
}

test('a second write within the second of init is found by a quick survey', async () => {
  const at = scene();
  const file = join(at.root, 'file');
  const stateOf = (): string => {
    const { ino, size, ctimeMs, mtimeMs } = lstatSync(file);
    return [ino, size, ctimeMs, mtimeMs].join(' ');
  };
  let isSame = false;
  for (let tries = 0; tries < 100 && !isSame; tries += 1) {
    writeFileSync(file, 'before');
    const before = stateOf();
    await build(at);
    writeFileSync(file, 'after!', { flag: 'r+' });
    isSame = stateOf() === before;
  }
  expect(isSame, 'no init fitted into one second').toBe(true);
  expect((await quickly(at)).found).toEqual([`${file}: digest`]);
});

test('what has not changed for a while is trusted there', async () => {
  const at = scene();
  writeFileSync(join(at.root, 'file'), 'content');
  await settle(at.root, 2_200);
  await build(at);
  // The root and the file; the directory of the root is none of the baseline's.
  expect(await quickly(at)).toEqual({ found: [], trusted: 2 });
});
