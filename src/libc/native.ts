// The only import of koffi. Functions of the C library are declared here by their C prototype and called synchronously;
// everything a caller gets is a number or a Buffer that the caller passed in (no koffi structs: their names are global).
import koffi, { type KoffiFunc } from 'koffi';
import { SystemError, type SystemErrorDetail } from '../domain/errors.ts';

// null: the symbols of this process, so that glibc and musl both serve.
const library = koffi.load(null);

/**
 * Declares a function of the C library, e.g. `declare<(fd: number) => number>('int close(int fd)')`. Pass Buffers for
 * pointers (`void *`), NUL-terminated Buffers for byte strings (koffi would encode a string as UTF-8), and use `long` for
 * ssize_t. koffi checks the arguments' types at each call. Types narrower than 64 bits come back as numbers; so does
 * `long` up to 2^53.
 */
export function declare<F extends (...args: never[]) => unknown>(prototype: string): F {
  return library.func(prototype) as KoffiFunc<(...args: unknown[]) => unknown> as unknown as F;
}

/** errno of the call that has just returned -1; stale after any success, so ask in the very next statement. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Passes a result on, or throws SystemError when it is -1. */
export function checked(result: number, syscall: string, detail: SystemErrorDetail = {}): number {
  if (result === -1) throw new SystemError(syscall, koffi.errno(), detail);
  return result;
}

/** A NUL-terminated copy of a byte path, as C wants it. */
export function cString(latin1: string): Buffer {
  return Buffer.from(`${latin1}\0`, 'latin1');
}
