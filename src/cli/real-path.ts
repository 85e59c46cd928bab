// Paths of the command line that are marked: events name them as the kernel does, with no link in them.
import { realpathSync } from 'node:fs';
import { AppError, errorCode, errorMessage } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, pathFromBytes, pathToBytes } from '../domain/path.ts';

/** `verb`: what cannot be done to it, for the message. Throws IO when it does not exist or cannot be reached. */
export function realPath(path: BytePath, verb: string): BytePath {
  try {
    return pathFromBytes(realpathSync.native(pathToBytes(path), 'buffer'));
  } catch (error) {
    const hint = errorCode(error) === 'ENOENT' ? 'name a path that exists' : errorMessage(error);
    throw new AppError('IO', `cannot ${verb} ${escapePath(path)}: ${errorCode(error) ?? 'failed'}`, {
      hint,
      cause: error,
    });
  }
}
