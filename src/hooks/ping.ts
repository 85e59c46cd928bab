// Tells a health check of a run, in the shapes of healthchecks.io: POST to URL/start, then to URL, URL/fail or URL/log, with
// the end of the output; `rid` joins the two. The URL is a secret: it is in no message.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { type RequestOptions, request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, errorMessage } from '../domain/errors.ts';
import type { PingSettings } from '../domain/settings.ts';
import type { RunOutcome } from '../engine/ports/hook-runner.ts';

export interface Ping {
  /** Does not wait for an answer. */
  started(kill: AbortSignal): void;
  /** Resolves when the check was told, or could not be. Never throws. */
  ended(outcome: RunOutcome, kill: AbortSignal): Promise<void>;
}

/** What healthchecks.io keeps of a body. */
const BODY_MAX_BYTES = 100_000;
const TRIES = 3;
const PAUSE_MS = 500;

export function openPing(settings: PingSettings, runId: string, onProblem: (message: string) => void): Ping {
  const base = settings.url.replace(/\/$/, '');
  const rid = randomUUID();
  const send = async (place: string, body: string, kill: AbortSignal): Promise<void> => {
    const target = `${base}${place}?rid=${rid}`;
    let problem: string | undefined;
    for (let attempt = 0; attempt < TRIES && !kill.aborted; attempt += 1) {
      if (attempt > 0) await sleep(PAUSE_MS);
      problem = await post({ url: target, body, runId }, settings, kill);
      if (problem === undefined) return;
    }
    if (problem !== undefined)
      onProblem(`the health check was not told of ${place === '' ? 'a good run' : place}: ${problem}`);
  };
  let beginning = Promise.resolve();
  return {
    started(kill) {
      beginning = send('/start', '', kill);
    },
    async ended(outcome, kill) {
      // An end that overtakes its beginning would be a run that never ends.
      await beginning;
      await send(PLACES[outcome.outcome], bodyOf(outcome), kill);
    },
  };
}

const PLACES: Readonly<Record<RunOutcome['outcome'], string>> = {
  ok: '',
  failed: '/fail',
  timedOut: '/fail',
  again: '/log',
  canceled: '/log',
};

function bodyOf({ outcome, problem, exitCode, signal, output }: RunOutcome): string {
  const how = problem ?? (signal === undefined ? `exit ${exitCode ?? '?'}` : `signal ${signal}`);
  return `${outcome} (${how})\n${output}`.slice(-BODY_MAX_BYTES);
}

/** Codes of X509_verify_cert_error_string(3) and of Node's own check of the name. */
const CERTIFICATE = /CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|HOSTNAME_MISMATCH/;

interface Message {
  readonly url: string;
  readonly body: string;
  readonly runId: string;
}

/** Returns what went wrong. */
async function post(message: Message, { timeoutMs, ca }: PingSettings, kill: AbortSignal): Promise<string | undefined> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const trusted = ca === undefined ? {} : { ca: readFileSync(ca) };
    const status = await exchange(message, { ...trusted, signal: AbortSignal.any([timeout, kill]) });
    return status >= 200 && status < 300 ? undefined : `HTTP status ${status}`;
  } catch (error) {
    if (timeout.aborted) return `no answer within ${timeoutMs} ms`;
    const code = errorCode(error) ?? errorMessage(error).replaceAll(message.url, 'its URL');
    if (error instanceof Error && 'path' in error) return `${ca}: ${code}`;
    return CERTIFICATE.test(code) ? `its certificate is not trusted: ${code}` : code;
  }
}

/** The status. Redirections are not followed; of the answer nothing is read. */
async function exchange({ url, body, runId }: Message, options: RequestOptions): Promise<number> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'driftline',
    'x-run-id': runId,
  };
  return await new Promise((resolve, reject) => {
    const asked = request(url, { ...options, method: 'POST', headers, agent: false }, (answer) => {
      answer.on('error', reject).resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on('error', reject).end(body);
  });
}
