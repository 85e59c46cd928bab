// Where the program of a thread is.

/**
 * The built file `name`.js of the same folder as the module whose `import.meta.url` this is. Node 20 runs no TypeScript:
 * when the module itself is run from its source, as tests do, the thread still is what was built.
 */
export function builtFile(url: string, name: string): URL {
  const own = url.replace(/[?#].*$/, '');
  const folder = own.slice(0, own.lastIndexOf('/') + 1);
  const src = own.endsWith('.ts') ? folder.lastIndexOf('/src/') : -1;
  const built = src === -1 ? folder : `${folder.slice(0, src)}/dist/${folder.slice(src + '/src/'.length)}`;
  return new URL(`${built}${name}.js`);
}
