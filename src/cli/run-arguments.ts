// The arguments of `driftline run`, before the parser sees them: what stands behind `--` is somebody else's command line, and
// `--quiet` is a time there (`-q` is what it is elsewhere).

export interface Arguments {
  /** For the parser. */
  readonly words: readonly string[];
  /** What to run; undefined when this is not about `run`. */
  readonly command: readonly string[] | undefined;
}

/** `watch --once` is `run --once`. */
export function splitArguments(argv: readonly string[]): Arguments {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  const at = commandAt(words);
  const isRun = words[at] === 'run' || (words[at] === 'watch' && words.includes('--once'));
  if (!isRun) return { words: argv, command: undefined };
  const before = words.slice(0, at).map((word) => (word === '--quiet' ? '-q' : word));
  return { words: [...before, 'run', ...words.slice(at + 1)], command: end === -1 ? [] : argv.slice(end + 1) };
}

/** Global options that take a word of their own. */
const WITH_VALUE: ReadonlySet<string> = new Set(['-c', '--config', '-b', '--baseline']);

function commandAt(words: readonly string[]): number {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (WITH_VALUE.has(word)) at += 1;
    else if (!word.startsWith('-')) return at;
  }
  return -1;
}
