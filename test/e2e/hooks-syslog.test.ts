// alert-syslog with the real rsyslogd, and over the network.
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isInstalled, Place, runHook, runHookBeside } from './shipped.ts';

const LINES = [
  'critical changed /etc/pass\\nwd (digest size) by /usr/bin/vi (pid 812, uid 0)',
  'normal added /srv/a  "b" $(id)',
  'info removed /var/log/<3>x',
  '<0>kernel: panic',
  '-p mail.emerg',
];
const LEVELS = [2, 4, 6, 6, 6];
const LONG = 60_000;

let place: Place;

beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.dispose]());

describe.skipIf(!isInstalled('rsyslogd'))('alert-syslog (needs rsyslogd)', () => {
  let daemon: ChildProcess;

  beforeEach(async () => {
    const config = [
      'global(maxMessageSize="64k" parser.escapeControlCharactersOnReceive="on")',
      `module(load="imuxsock" SysSock.Use="off")`,
      `input(type="imuxsock" Socket="${place.aside('log')}")`,
      'template(name="t" type="string" string="%syslogfacility-text%.%syslogseverity% %programname%|%msg%\\n")',
      `action(type="omfile" file="${place.aside('messages')}" template="t")`,
    ];
    writeFileSync(place.aside('conf'), `${config.join('\n')}\n`);
    daemon = spawn('/usr/sbin/rsyslogd', ['-n', '-i', place.aside('pid'), '-f', place.aside('conf')], {
      stdio: 'inherit',
    });
    await vi.waitUntil(() => existsSync(place.aside('log')), { timeout: LONG });
  }, LONG);
  afterEach(async () => {
    daemon.kill('SIGTERM');
    await new Promise((resolve) => daemon.once('close', resolve));
  });

  test('each line is a message of its level, as it is', async () => {
    const settings = { SOCKET: place.aside('log'), FACILITY: 'local3', TAG: 'it' };
    expect(runHook('alert-syslog', `${LINES.join('\n')}\n`, settings)).toMatchObject({ status: 0, stderr: '' });
    const messages = (): string[] => readFileSync(place.aside('messages'), 'utf8').trimEnd().split('\n');
    await vi.waitUntil(() => existsSync(place.aside('messages')) && messages().length >= LINES.length, {
      timeout: LONG,
    });
    expect(messages()).toEqual(LINES.map((line, index) => `local3.${LEVELS[index]} it| ${line}`));
  });
});

test('over the network by UDP and TCP, in the format of RFC 5424', async () => {
  const received: string[] = [];
  const udp = createSocket('udp4', (message) => received.push(String(message)));
  const udpPort = await new Promise<number>((resolve) => udp.bind(0, '127.0.0.1', () => resolve(udp.address().port)));
  const tcp = createServer((socket) => socket.on('data', (data) => received.push(String(data))));
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const tcpPort = (tcp.address() as AddressInfo).port;
  try {
    for (const [transport, port] of [
      ['udp', udpPort],
      ['tcp', tcpPort],
    ] as const) {
      const settings = { SERVER: '127.0.0.1', PORT: String(port), TRANSPORT: transport };
      expect(await runHookBeside('alert-syslog', `${LINES[0]}\n`, settings)).toMatchObject({ status: 0, stderr: '' });
      // authpriv is 10: 10 * 8 + crit.
      await vi.waitUntil(() => received.join('').includes(LINES[0] ?? ''), { timeout: LONG });
      expect(received.join('')).toMatch(/<82>1 \S+ \S+ driftline \d+ - \[/);
      received.length = 0;
    }
  } finally {
    udp.close();
    tcp.close();
  }
});

test.each([
  ['nobody listens', { SOCKET: '/nonexistent/log' }, 75],
  ['no such facility', { FACILITY: 'nonsense' }, 64],
  ['a facility that is an option', { FACILITY: '-x' }, 64],
  ['a tag of two words', { TAG: 'a b' }, 64],
  ['no such transport', { TRANSPORT: 'pigeon' }, 64],
])('%s: %j', (_case, settings, status) => {
  expect(runHook('alert-syslog', `${LINES[0]}\n`, settings).status).toBe(status);
});
