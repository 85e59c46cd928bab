// Where the program of a thread is.

/**
 * The built file dist/`name`.js. Node 20 runs no TypeScript: when this module is run from its source, as tests do, the thread still is
 * what was built. A bundle has this module one folder below dist/, too.
 */
export function builtFile(name: string, url = import.meta.url): URL {
  return new URL(`../${url.endsWith('.ts') ? '../dist/' : ''}${name}.js`, url);
}
