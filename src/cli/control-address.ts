// A Unix socket's path may have 107 bytes (unix(7)); a longer one is reached through a descriptor of its directory.
import { closeSync, constants, openSync } from 'node:fs';
import { type BytePath, dirOf, isCleanUtf8, nameOf, pathToBytes, pathToText } from '../domain/path.ts';

export interface Address {
  readonly text: string;
  close(): void;
}

const SUN_PATH_MAX = 107;

export function openAddress(path: BytePath): Address {
  if (path.length <= SUN_PATH_MAX && isCleanUtf8(path)) return { text: pathToText(path), close() {} };
  const fd = openSync(pathToBytes(dirOf(path)), constants.O_DIRECTORY | constants.O_RDONLY);
  return { text: `/proc/self/fd/${fd}/${pathToText(nameOf(path))}`, close: () => closeSync(fd) };
}
