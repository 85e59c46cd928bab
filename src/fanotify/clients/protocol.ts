// The messages on a client's socket: one byte that says what it is, then the rest. The client speaks once, to say what it
// wants; everything else comes from the server.
import { AppError, errorMessage } from '../../domain/errors.ts';
import { type PlainRule, parseRule } from './rules.ts';

const PROTOCOL_VERSION = 1;

/** Records of wire.ts, and their descriptors beside them. */
export const ITEMS = 0x69;
/** The rule was taken: events from here on. */
export const ACCEPTED = 0x61;
/** UTF-8 text follows; the connection ends. */
export const REFUSED = 0x72;
/** The server stops. */
export const BYE = 0x62;

/** Items that wait for one client on the server, at most. */
export const CAPACITY_MAX = 65_536;

export interface Hello {
  readonly rule: PlainRule;
  readonly capacity: number;
}

export function encodeHello({ rule, capacity }: Hello): Buffer {
  return Buffer.from(JSON.stringify({ version: PROTOCOL_VERSION, capacity, rule }));
}

/** Throws AppError USAGE that says what is wrong; nothing else, whatever the bytes. */
export function parseHello(bytes: Buffer): Hello {
  const hello = parseJson(bytes);
  if (typeof hello !== 'object' || hello === null) throw new AppError('USAGE', 'the greeting is no object');
  const { version, capacity, rule, ...rest } = hello as Readonly<Record<string, unknown>>;
  if (version !== PROTOCOL_VERSION) throw new AppError('USAGE', `this is version ${PROTOCOL_VERSION} of the protocol`);
  if (Object.keys(rest).length > 0) throw new AppError('USAGE', 'the greeting has fields that it should not have');
  if (!isCapacity(capacity)) throw new AppError('USAGE', `capacity is a number from 1 to ${CAPACITY_MAX}`);
  return { rule: parseRule(rule), capacity };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new AppError('USAGE', `the greeting is no JSON: ${errorMessage(error)}`);
  }
}

export function isCapacity(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= CAPACITY_MAX;
}
