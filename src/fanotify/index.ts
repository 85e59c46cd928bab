// driftline/fanotify: the kernel's fanotify interface, complete, for TypeScript.
export { AppError, SystemError } from '../domain/errors.ts';
export { type BytePath, pathFromBytes, pathFromText, pathToBytes, pathToText } from '../domain/path.ts';
export * from './abi.ts';
export { decodeEvents, type FanotifyEvent, type FileId, type InfoRecord } from './decode.ts';
export { FanotifyGroup, type GroupOptions } from './group.ts';
export { HandlePaths, type MountPoint } from './handles.ts';
export { type MaskName, maskOfNames, namesOfMask } from './mask-names.ts';
