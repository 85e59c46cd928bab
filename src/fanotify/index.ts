// driftline/fanotify: the kernel's fanotify interface, complete, for TypeScript.
export type { Actor } from '../domain/actor.ts';
export { AppError, SystemError } from '../domain/errors.ts';
export { type BytePath, pathFromBytes, pathFromText, pathToBytes, pathToText } from '../domain/path.ts';
export * from './abi.ts';
export { ActorMap } from './actors/actor-map.ts';
export type { ProcessInfo } from './actors/known.ts';
export { type ClientOptions, FanotifyClient } from './clients/client.ts';
export type { FanotifyData, FanotifyItem, FanotifyLoss } from './clients/data.ts';
export { Fanotify, type FanotifyOptions, type ListenOptions, type MarkOptions } from './clients/fanotify.ts';
export type { IgnoredOwn } from './clients/messages.ts';
export { compileWildcard, type Wildcard } from './clients/pattern.ts';
export type { RemoteOptions } from './clients/remote.ts';
export type { FanoRule, RulePattern } from './clients/rules.ts';
export { decodeEvents, type FanotifyEvent, type FileId, type InfoRecord } from './decode.ts';
export { EventBatch } from './event-batch.ts';
export { closeEvent, descriptorsOf } from './event-fds.ts';
export type { EventPaths, FileIdPaths } from './event-paths.ts';
export type { MarkInfo } from './fdinfo.ts';
export { FanotifyGroup, type GroupOptions } from './group.ts';
export { HandlePaths, type MountPoint } from './handles.ts';
export {
  eventFlagsFromString,
  eventFlagsToString,
  initFlagsFromString,
  initFlagsToString,
  markFlagsFromString,
  markFlagsToString,
  maskFromString,
  maskToString,
} from './names.ts';
export { fsidOfPath, type MountPoints, PathResolver } from './path-resolver.ts';
export type { ResponderCount } from './permission/messages.ts';
export type {
  PermissionDecision,
  PermissionMark,
  PermissionOptions,
  PermissionProblem,
  PermissionRequest,
} from './permission/options.ts';
export { PermissionResponder } from './permission/responder.ts';
export { type PathProbe, type Probe, probe, probePath, type Support } from './probe.ts';
export { type AuditRule, type DenyErrno, FAN_DENY_ERRNO, type ResponseOptions, type Verdict } from './response.ts';
export type { Stall, StreamOptions } from './stream.ts';
