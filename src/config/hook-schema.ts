// What a configuration may say of hooks.
import { SEVERITIES } from '../domain/drift.ts';
import { HOOK_INPUTS, STOP_SIGNALS } from '../domain/settings.ts';
import { BACKOFF_PATTERN, parseBackoff } from './duration.ts';
import { absolutePath, duration, fail } from './schema-parts.ts';
import { parseSize, SIZE_PATTERN } from './size.ts';
import { z } from './zod.ts';

const count = (most: number) =>
  z.int('must be a whole number').min(1, 'must be at least 1').max(most, `must be at most ${most}`);

export const hookLimits = z.strictObject({
  concurrency: count(1000).default(8).describe('How many runs there may be at the same time.'),
  chain: z
    .int('must be a whole number')
    .min(0, 'must be at least 0')
    .max(1000, 'must be at most 1000')
    .default(3)
    .describe('When a run writes what starts another hook, and so on: after so many the next is not started.'),
});

const setting = z.union([z.string(), z.number(), z.boolean()], 'must be a text, a number or true or false');
const command = z.array(z.string()).min(1, 'needs a program');
const statuses = z.array(z.int('must be a whole number').min(0).max(255, 'must be at most 255'));

const retry = z.strictObject({
  attempts: count(1000).default(8).describe('Runs in all, but for those that ended with a status of `again`.'),
  backoff: z
    .string()
    .regex(BACKOFF_PATTERN, 'must be two times, such as 1s..5m')
    .transform((text, context) => parseBackoff(text) ?? fail(context, 'must go from a short time to a longer one'))
    .prefault('1s..5m')
    .describe('The wait before the second attempt, doubled each time, and the longest wait; up to a fifth longer.'),
});

const exitCodes = z.strictObject({
  ok: statuses.default([0]).describe('Delivered.'),
  again: statuses.default([75]).describe('Not now: tried again, however often, without an alarm.'),
});

const breaker = z.strictObject({
  failures: count(1000).default(10).describe('So many failures in a row.'),
  pause: duration('5m').describe('How long nothing is run then; after that one run decides.'),
});

const holdOn = z.strictObject({
  severity: z.enum(SEVERITIES).optional().describe('Any drift of this severity or above, of whatever rule.'),
  filesPerMinute: count(100_000_000).optional().describe('So many drifts that the hook is told of.'),
  share: z
    .string()
    .regex(/^(?:100|[1-9]?\d)%$/, 'must be a share such as 20%')
    .transform((text) => Number.parseInt(text, 10) / 100)
    .optional()
    .describe("Such a share of what the hook's rules cover, changed or removed within a minute: 20%."),
  entropy: count(1_000_000)
    .optional()
    .describe('So many files within a minute that look encrypted: random bytes, and no known compressed format.'),
});

const limits = z.strictObject({
  memory: z
    .string()
    .regex(SIZE_PATTERN, 'must be an amount of memory, such as 512MiB')
    .transform((text, context) => parseSize(text) ?? fail(context, 'must be 1MiB at least'))
    .optional()
    .describe('Memory, such as 512MiB.'),
  tasks: count(4_000_000).optional().describe('Processes and threads.'),
});

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be a BLAKE3 digest of 64 hexadecimal digits');

const ping = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, 'must be an http or https URL without a user and without a query')
    .describe('POST URL/start before a run, URL after a good one, URL/fail after a bad one, with its output.'),
  timeout: duration('10s').describe('How long one request may take.'),
  ca: absolutePath.optional().describe('A file with the certificates (PEM) to trust instead of the public ones.'),
});

export const hook = z.strictObject({
  run: command
    .optional()
    .describe('Program and arguments; never a shell line. A bare name is looked up in the fixed PATH.'),
  use: z.string().optional().describe('The name of a hook that comes with driftline, instead of `run`.'),
  with: z
    .record(z.string(), z.union([setting, z.array(setting)], 'must be a text, a number, true, false or a list of them'))
    .default({})
    .describe('Settings of the hook, passed in its environment: `mailTo: root` becomes DRIFTLINE_MAIL_TO=root.'),
  stdin: z
    .enum(HOOK_INPUTS)
    .optional()
    .describe(
      '`paths0`: names separated by NUL (default). `moves0`: before them old and new names of what moved, and an empty name. `ndjson`: records. `text`: for a person. `none`: nothing.',
    ),
  quiet: duration('500ms').describe('How long to wait for more drift before a run.'),
  deadline: duration('10s').describe('How long drift may wait for a run at most.'),
  maxPaths: count(100_000_000)
    .optional()
    .describe('How many paths a run is given at most, unless one drift has more; the others are for the next run.'),
  concurrency: count(100)
    .default(1)
    .describe('How many runs of this hook there may be at the same time; what concerns a path stays in order.'),
  timeout: duration('5m').describe('How long a run may take before it is ended.'),
  stopSignal: z.enum(STOP_SIGNALS).default('TERM').describe('The signal that asks a run to end.'),
  grace: duration('10s').describe('How long a run that was asked to end may take before it is killed.'),
  onBusy: z
    .enum(['queue', 'skip', 'restart'])
    .default('queue')
    .describe(
      'New drift while a run is in flight. `queue`: one run for all of it afterwards. `skip`: dropped. `restart`: now.',
    ),
  exitCodes: exitCodes.prefault({}).describe('What exit statuses mean; all others are failures.'),
  retry: retry.prefault({}).describe('What happens after a run that failed.'),
  breaker: z
    .union([z.literal('off').transform(() => undefined), breaker], 'must be off, or failures and pause')
    .prefault({})
    .describe('After so many failures in a row nothing is run for a while, with an alert; `off`: never.'),
  holdOn: holdOn
    .optional()
    .describe('What holds the hook until `driftline hook release`, with an alert: what is wrong is not mirrored.'),
  before: command.optional().describe('A command before each run, which is not begun when it fails.'),
  after: command.optional().describe('A command after each run, with DRIFTLINE_OUTCOME.'),
  onFailure: command
    .optional()
    .describe('A command after each run that failed, and for each alert about this hook; gets the record.'),
  ping: ping.optional().describe('Tells a health check about each run.'),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_.-]*\$?$/i, 'must be the name of a user')
    .optional()
    .describe('The user who runs it, with all groups of that user.'),
  limits: limits.prefault({}).describe('What a run and everything that it starts may have together (cgroup).'),
  credentials: z
    .record(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be capitals, digits and underscores'), absolutePath)
    .default({})
    .describe(
      'Files with secrets: PASSWORD: /path is DRIFTLINE_CREDENTIAL_PASSWORD=/path; only for their owner to read.',
    ),
  digest: z
    .union([digest, z.record(absolutePath, digest)], 'must be a BLAKE3 digest, or files with theirs')
    .optional()
    .describe('The digest of the program, or of files; when it is another, nothing is run and an alert is raised.'),
  detach: z.boolean().default(false).describe('Leave alive what the run started when it ends.'),
});

/** The keys of each map (schema-messages.ts). */
export const HOOK_KEYS: readonly (readonly [string, readonly string[]])[] = [
  ['hooks.*', Object.keys(hook.shape)],
  ['hooks.*.retry', Object.keys(retry.shape)],
  ['hooks.*.exitCodes', Object.keys(exitCodes.shape)],
  ['hooks.*.breaker', Object.keys(breaker.shape)],
  ['hooks.*.holdOn', Object.keys(holdOn.shape)],
  ['hooks.*.limits', Object.keys(limits.shape)],
  ['hooks.*.ping', Object.keys(ping.shape)],
];
