// What the machine allows, found by trying.
import { readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { implicitSettings } from '../config/implicit.ts';
import { errorCode, errorMessage } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { pathFromText, ROOT } from '../domain/path.ts';
import type { ScopeSettings } from '../domain/rule.ts';
import { openFanotifySource } from '../watch/fanotify-source.ts';

export interface Finding {
  readonly subject: string;
  readonly level: 'ok' | 'warn' | 'bad';
  readonly message: string;
  readonly hint?: string;
}

export function findingOf(subject: string, level: Finding['level'], error: unknown): Finding {
  const hint = typeof error === 'object' && error !== null && 'hint' in error ? error.hint : undefined;
  const message = errorMessage(error);
  return typeof hint === 'string' ? { subject, level, message, hint } : { subject, level, message };
}

/** `scope`: whose mounts are tried; without one, the usual places. */
export async function systemFindings(scope: ScopeSettings | undefined): Promise<Finding[]> {
  return [
    { subject: 'kernel', level: 'ok', message: `Linux ${release()}, Node ${process.versions.node}` },
    userFinding(),
    ...(await watchFindings(scope ?? WHOLE)),
    queueFinding(),
    mountNamespaceFinding(),
  ];
}

const CAPABILITIES: readonly (readonly [bit: bigint, name: string, use: string])[] = [
  [21n, 'CAP_SYS_ADMIN', 'watching whole mounts and filesystems'],
  [2n, 'CAP_DAC_READ_SEARCH', 'reading every file, and finding names of events'],
  [19n, 'CAP_SYS_PTRACE', 'the program of every writer'],
];

function userFinding(): Finding {
  const effective = BigInt(
    `0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  const missing = CAPABILITIES.filter(([bit]) => (effective & (1n << bit)) === 0n);
  const who = `uid ${process.getuid?.() ?? '?'}`;
  if (missing.length === 0)
    return { subject: 'user', level: 'ok', message: `${who}, has every capability that is used` };
  return {
    subject: 'user',
    level: 'warn',
    message: `${who}, without ${missing.map(([, name, use]) => `${name} (${use})`).join(', ')}`,
    hint: 'run as root, or give these capabilities to the service; init and check work on what the user may read',
  };
}

/** Where a server keeps what it lives on. */
const USUAL = ['/etc', '/home', '/srv', '/usr', '/var'].map(pathFromText);
const WHOLE: ScopeSettings = { rules: implicitSettings({ baseline: ROOT, paths: USUAL }).rules, ignore: [], own: [] };

/** Found by watching for a moment. */
async function watchFindings(scope: ScopeSettings): Promise<Finding[]> {
  try {
    const source = await openFanotifySource({ scope, marks: 'auto', who: 'proc', onProblem: () => {} });
    const found = source.coverage().map(({ mount, mode, reason }): Finding => {
      const message = `${escapePath(mount)}: ${mode}${reason === undefined ? '' : ` (${reason})`}`;
      return { subject: 'watch', level: mode === 'filesystem' ? 'ok' : 'warn', message };
    });
    await source.close();
    return found;
  } catch (error) {
    return [
      { subject: 'watch', level: 'bad', message: errorMessage(error), hint: 'watch cannot run; init and check can' },
    ];
  }
}

const QUEUE = '/proc/sys/fs/fanotify/max_queued_events';
const QUEUE_WANTED = 65_536;

function queueFinding(): Finding {
  try {
    const events = Number(readFileSync(QUEUE, 'utf8'));
    const message = `the kernel queues ${events} events`;
    if (events >= QUEUE_WANTED) return { subject: 'queue', level: 'ok', message };
    const hint = `a burst overflows it (then everything is compared again): sysctl fs.fanotify.max_queued_events=262144`;
    return { subject: 'queue', level: 'warn', message, hint };
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return { subject: 'queue', level: 'warn', message: `${QUEUE} is missing: the kernel is older than 5.13` };
  }
}

function mountNamespaceFinding(): Finding {
  const first = namespaceOf('1');
  const same = first === undefined || first === namespaceOf('self');
  return same
    ? { subject: 'namespace', level: 'ok', message: "the mount namespace is the host's" }
    : {
        subject: 'namespace',
        level: 'warn',
        message: 'the mount namespace is not that of process 1',
        hint: 'mount marks see only this namespace; filesystem marks see all',
      };
}

/** undefined when it may not be looked at. */
function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch (error) {
    if (errorCode(error) === 'EACCES' || errorCode(error) === 'EPERM') return undefined;
    throw error;
  }
}
