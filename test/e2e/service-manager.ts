// The part of a service manager that a watch talks to: sd_notify(3) with descriptors (SCM_RIGHTS), and their store.
import { readFileSync } from 'node:fs';
import { closeFd } from '../../src/libc/handle.ts';
import { checked, declare } from '../../src/libc/native.ts';
import { receiveMessage, socketAddress } from '../../src/libc/socket.ts';
import type { SpawnOptions } from './site.ts';

const socket = declare<(domain: number, type: number, protocol: number) => number>(
  'int socket(int domain, int type, int protocol)',
);
const bind = declare<(fd: number, address: Buffer, length: number) => number>(
  'int bind(int fd, void *address, unsigned int length)',
);
/** AF_UNIX; SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK */
const [UNIX, DATAGRAM] = [1, 2 | 0o2000000 | 0o4000];

interface Stored {
  readonly name: string;
  readonly fd: number;
}

export class ServiceManager {
  readonly #address: string;
  readonly #fd: number;
  readonly #messages: string[] = [];
  #stored: Stored[] = [];

  constructor(address: string) {
    this.#address = address;
    this.#fd = checked(socket(UNIX, DATAGRAM, 0), 'socket');
    const name = socketAddress(address);
    checked(bind(this.#fd, name, name.length), 'bind', { path: address });
  }

  /** Everything that was said so far, a message each. */
  messages(): readonly string[] {
    for (let got = receiveMessage(this.#fd); got !== undefined && got !== 'gone'; got = receiveMessage(this.#fd)) {
      const text = got.bytes.toString();
      this.#messages.push(text);
      const name = /^FDNAME=(.*)$/m.exec(text)?.[1] ?? 'stored';
      if (/^FDSTORE=1$/m.test(text)) this.#stored.push(...got.fds.map((fd) => ({ name, fd })));
      else got.fds.forEach(closeFd);
      if (/^FDSTOREREMOVE=1$/m.test(text)) this.#remove(name);
    }
    return this.#messages;
  }

  #remove(name: string): void {
    for (const one of this.#stored.filter((stored) => stored.name === name)) closeFd(one.fd);
    this.#stored = this.#stored.filter((stored) => stored.name !== name);
  }

  stored(): readonly Stored[] {
    this.messages();
    return [...this.#stored];
  }

  /** What the kernel says of a stored descriptor. */
  fdinfo({ fd }: Stored): string {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  }

  /** How a watch is started with what is in the store; `env` on top. */
  options(env: NodeJS.ProcessEnv = {}): SpawnOptions {
    const stored = this.stored();
    return {
      env: {
        NOTIFY_SOCKET: this.#address,
        LISTEN_FDS: String(stored.length),
        LISTEN_FDNAMES: stored.map(({ name }) => name).join(':'),
        ...env,
      },
      // Only the process itself knows its number.
      wrap: ['sh', '-c', 'export LISTEN_PID=$$; exec "$@"', 'sh'],
      fds: stored.map(({ fd }) => fd),
    };
  }

  [Symbol.dispose](): void {
    this.messages();
    for (const { fd } of this.#stored) closeFd(fd);
    closeFd(this.#fd);
  }
}
