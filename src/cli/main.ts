#!/usr/bin/env node
// The program: a command that reads everything has its threads started before its own modules are loaded; the only process.exit.
import { endEarly, startEarly } from '../disk/early.ts';

const COMMANDS = /^(init|check|accept|watch|status|journal|explain|trace|run|hook|config|doctor)$/;
const words = process.argv.slice(2);
if (readsEverything()) startEarly();
const { runCommandLine } = await import('./command-line.ts');
process.exitCode = await runCommandLine(words);
await endEarly();
process.exit();

/** A guess; where it is wrong there are threads that nobody needs. */
function readsEverything(): boolean {
  const command = words.find((word) => COMMANDS.test(word));
  const isOther = words.some((word) => /^-(j|h|-jobs|-help)/.test(word));
  return !isOther && (command === 'init' || command === 'check');
}
