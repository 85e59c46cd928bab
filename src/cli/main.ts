#!/usr/bin/env node
// The program: a command that reads everything has its threads started before its own modules are loaded; the only process.exit.
import { endEarly, startEarly } from '../disk/early.ts';

const words = process.argv.slice(2);
if (readsEverything()) startEarly();
const { runCommandLine } = await import('./command-line.ts');
process.exitCode = await runCommandLine(words);
await endEarly();
process.exit();

/** A guess: what it takes for an `init` or `check` and is not only has threads that nobody needs. */
function readsEverything(): boolean {
  const isOther = words.some((word) => word === 'config' || /^-(j|h|-jobs|-help)/.test(word));
  return !isOther && (words.includes('init') || words.includes('check'));
}
