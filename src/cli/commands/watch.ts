// driftline watch: the daemon, in the foreground.
import type { Coverage } from '../../domain/coverage.ts';
import { AppError, errorMessage } from '../../domain/errors.ts';
import type { Settings } from '../../domain/settings.ts';
import type { Reporter } from '../../engine/ports/reporter.ts';
import type { Store } from '../../engine/ports/store.ts';
import type { Lock } from '../../libc/lock.ts';
import { monotonicNs } from '../../libc/time.ts';
import { recordWriter } from '../../report/record-writer.ts';
import { systemClock } from '../clock.ts';
import { type Context, type Loaded, loadContext, warnOfRulePaths } from '../context.ts';
import { answer } from '../control-answer.ts';
import { type ControlServer, serveControl } from '../control-server.ts';
import { downtimeOf, startHeartbeat } from '../downtime.ts';
import { openHealth } from '../health.ts';
import { checkPrograms, fenceWarnings } from '../hook-problems.ts';
import { currentActor } from '../identity.ts';
import { openReporter } from '../reporter.ts';
import { isSameWatch } from '../same-watch.ts';
import { openNotifier, type ServiceNotifier, takeStoredFds } from '../service.ts';
import { serviceStatus } from '../service-status.ts';
import { busy, lockState, openState } from '../state.ts';
import { openStoredGroups, type StoredGroups } from '../stored-group.ts';
import { openSession, type Session, type SessionParts } from '../watch-session.ts';
import type { WatchSignals } from '../watch-signals.ts';

export interface WatchArguments {
  readonly json: boolean;
  readonly signals: WatchSignals;
}

/** How long a stop may wait for the work in hand; what is not done then is found by the next catch-up check. */
const STOP_MS = 500;
/** How long a hook may take to end when the watch ends; then it is killed, and its work stays in the outbox. */
const HOOK_PATIENCE_MS = 200;

export async function runWatch(context: Context, { json, signals }: WatchArguments): Promise<number> {
  const loaded = await loadContext(context);
  const { settings } = loaded;
  warnOfRulePaths(context, loaded);
  lookAtHooks(context, loaded);
  // The baseline is verified when it is opened, which takes longer the larger it is.
  if (signals.stop !== undefined) return signals.stop;
  const lock = lockState(settings.baseline);
  if (lock === undefined) throw busy(settings.baseline);
  const store = openState(settings, 'write');
  try {
    return await watchUntilStopped(context, settings, { store, lock, signals, json });
  } finally {
    store.close();
    lock.release();
  }
}

/** Throws CONFIG when a program could not be started; warns of what each run is refused for until it is set right. */
function lookAtHooks({ output }: Context, { settings, told }: Loaded): void {
  checkPrograms(settings, told);
  for (const warning of fenceWarnings(settings, told)) output.warn(`driftline: warning: ${warning}`);
}

interface Daemon {
  readonly context: Context;
  readonly store: Store;
  readonly reporter: Reporter;
  readonly notifier: ServiceNotifier;
  readonly onCoverage: SessionParts['onCoverage'];
  readonly groups: StoredGroups;
  session: Session;
  /** The session before, whose hooks may still be ending. */
  former: Session | undefined;
  /** Marks of a new configuration that are set already; it takes over when the present session has ended. */
  next: Session | undefined;
  readonly signals: WatchSignals;
}

interface Held {
  readonly store: Store;
  readonly lock: Lock;
  readonly signals: WatchSignals;
  readonly json: boolean;
}

async function watchUntilStopped(
  context: Context,
  settings: Settings,
  { store, lock, signals, json }: Held,
): Promise<number> {
  const reporter = openReporter(context.output, json);
  const notifier = openNotifier(context.output.warn);
  const startedMs = systemClock.nowMs();
  const downtime = downtimeOf(store.journal, lock.touchedMs(), startedMs);
  const groups = openStoredGroups(notifier, takeStoredFds(), settings);
  notifier.status('setting marks, then comparing with the baseline');
  const onCoverage = (coverage: readonly Coverage[]): void => notifier.status(serviceStatus(coverage, store));
  const session = await openSession(settings, { store, reporter, stored: groups.stored, onCoverage });
  const isResumed = session.source.isResumed();
  groups.follow(session.source, settings);
  const gaps = isResumed ? [] : [downtime];
  const heart = startHeartbeat(lock);
  const daemon: Daemon = {
    context,
    store,
    reporter,
    notifier,
    onCoverage,
    groups,
    session,
    former: undefined,
    next: undefined,
    signals,
  };
  const watchdog = startWatchdog(daemon);
  attend(daemon);
  let control: ControlServer | undefined;
  try {
    control = await serveControl(settings.baseline, (request) =>
      answer(request, { session: daemon.session, store, startedMs, downtime: gaps }),
    );
    // Only now: who could not begin to watch was not killed when it is gone.
    const start = lifecycle(store, 'start', { ...whoStarted() });
    store.commit({ journal: [start, ...gaps.map((gap) => recordWriter.gap({ timeNs: systemClock.nowNs(), gap }))] });
    while (signals.stop === undefined) await runSession(daemon);
    notifier.stopping();
    store.commit({ journal: [lifecycle(store, 'stop', { exitCode: signals.stop })] });
    return signals.stop;
  } finally {
    watchdog.stop();
    heart.stop();
    control?.close();
    await Promise.all([daemon.former, daemon.session, daemon.next].map((one) => one?.close(HOOK_PATIENCE_MS)));
  }
}

function lifecycle(store: Store, kind: 'start' | 'stop' | 'config', detail: Record<string, string | number>): string {
  const { generation } = store.baseline.info();
  return recordWriter.lifecycle(kind, { timeNs: systemClock.nowNs(), generation, detail });
}

function whoStarted(): Record<string, string | number> {
  const { pid, uid, loginUid } = currentActor();
  return { pid: pid ?? 0, uid: uid ?? 0, ...(loginUid === undefined ? {} : { loginUid }) };
}

/** Signs of life, four in the time after which the service manager gives up. */
function startWatchdog(daemon: Daemon): { stop(): void } {
  const { notifier } = daemon;
  if (notifier.watchdogMs === undefined) return { stop() {} };
  let session = daemon.session;
  let isHealthy = openHealth(session.signs);
  const look = (): void => {
    if (session !== daemon.session) {
      session = daemon.session;
      isHealthy = openHealth(session.signs);
    }
    if (isHealthy()) notifier.alive();
  };
  const timer = setInterval(look, notifier.watchdogMs / 4).unref();
  return { stop: () => clearInterval(timer) };
}

/** From now on the daemon does what the signals say. */
function attend(daemon: Daemon): void {
  const { signals, notifier } = daemon;
  let reloads = Promise.resolve();
  signals.onStop = () => daemon.session.abort();
  signals.onReload = () => {
    notifier.reloading(monotonicNs() / 1000n);
    reloads = reloads.then(() => prepareReload(daemon));
  };
  if (signals.mustReload) signals.onReload();
}

/** One session lasts as long as its configuration. */
async function runSession(daemon: Daemon): Promise<void> {
  const { session } = daemon;
  await session.run(() => announce(daemon), STOP_MS, daemon.former);
  if (daemon.next === undefined) return;
  await session.closeWatch();
  daemon.former = session;
  daemon.session = daemon.next;
  daemon.next = undefined;
  daemon.groups.follow(daemon.session.source, daemon.session.settings);
}

function announce({ session, store, notifier, context }: Daemon): void {
  const mounts = session.source.coverage().filter(({ mode }) => mode !== 'none').length;
  const { entries } = store.baseline.info();
  context.output.warn(`ready: ${mounts} mounts, ${entries} entries`);
  notifier.ready(serviceStatus(session.source.coverage(), store));
}

function told({ store, reporter }: Daemon, { rules }: Settings): void {
  store.commit({ journal: [lifecycle(store, 'config', { rules: rules.length })] });
  reporter.notice('the configuration was reloaded');
}

/** A configuration that is not right leaves everything as it was; a right one takes over with its marks already set. */
async function prepareReload(daemon: Daemon): Promise<void> {
  const { context, store, reporter, onCoverage } = daemon;
  try {
    const loaded = await loadContext(context);
    const { settings } = loaded;
    if (settings.baseline !== daemon.session.settings.baseline) {
      throw new AppError('CONFIG', 'the baseline cannot be changed while it is in use', { hint: 'restart the watch' });
    }
    lookAtHooks(context, loaded);
    if (daemon.next === undefined && isSameWatch(settings, daemon.session.settings)) {
      await daemon.session.change(settings);
      told(daemon, settings);
      return announce(daemon);
    }
    const opened = await openSession(settings, { store, reporter, onCoverage });
    if (daemon.signals.stop !== undefined) return await opened.close();
    // An earlier reload's session that has not taken over yet never will.
    const former = daemon.next;
    daemon.next = opened;
    told(daemon, settings);
    daemon.session.abort();
    await former?.close();
  } catch (error) {
    reporter.problem(`the configuration was not reloaded, the old one stays: ${errorMessage(error)}`);
    // A service manager waits for this whatever the outcome (systemd.service(5), Type=notify-reload).
    daemon.notifier.ready('the configuration was not reloaded: it is wrong');
  }
}
