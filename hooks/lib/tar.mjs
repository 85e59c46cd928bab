// The members of a tar stream as dpkg-deb(1) writes it: ustar with GNU's long names and links, or pax headers (tar(5)).

const BLOCK = 512;

/**
 * Yields { name, type, mode, uid, gid, user, group, target, sizeBytes, content }, names as latin1 text. `content` yields the
 * bytes of a file and must be read to its end.
 */
export async function* readTar(stream) {
  const source = openSource(stream);
  let long = {};
  for (;;) {
    const header = await source.take(BLOCK);
    if (header.length < BLOCK || header.every((byte) => byte === 0)) return;
    const kind = String.fromCharCode(header[156] ?? 0);
    const sizeBytes = numberAt(header, 124, 12);
    if (kind === 'L' || kind === 'K' || kind === 'x') {
      const text = (await source.take(sizeBytes)).toString('latin1');
      await source.take(padding(sizeBytes));
      if (kind === 'x') long = { ...long, ...paxFields(text) };
      else long[kind === 'L' ? 'path' : 'linkpath'] = text.replace(/\0.*$/s, '');
      continue;
    }
    const prefix = textAt(header, 257, 5) === 'ustar' && header[262] === 0 ? textAt(header, 345, 155) : '';
    const name = textAt(header, 0, 100);
    yield {
      name: long.path ?? (prefix === '' ? name : `${prefix}/${name}`),
      type: TYPES[kind],
      mode: numberAt(header, 100, 8) & 0o7777,
      uid: numberAt(header, 108, 8),
      gid: numberAt(header, 116, 8),
      user: textAt(header, 265, 32),
      group: textAt(header, 297, 32),
      target: long.linkpath ?? textAt(header, 157, 100),
      sizeBytes,
      content: source.portions(sizeBytes),
    };
    await source.drain();
    await source.take(padding(sizeBytes));
    long = {};
  }
}

/** As driftline calls them; a hard link is `link`, with the name of another member as its target. */
const TYPES = {
  0: 'file',
  '\0': 'file',
  7: 'file',
  1: 'link',
  2: 'symlink',
  3: 'char',
  4: 'block',
  5: 'directory',
  6: 'fifo',
};

function padding(sizeBytes) {
  return (BLOCK - (sizeBytes % BLOCK)) % BLOCK;
}

function textAt(header, at, length) {
  return header.toString('latin1', at, at + length).replace(/\0.*$/s, '');
}

/** Octal text, or a big-endian number behind a byte of 0x80. */
function numberAt(header, at, length) {
  if ((header[at] ?? 0) >= 0x80) return header.readUIntBE(at + length - 6, 6);
  return Number.parseInt(textAt(header, at, length).trim() || '0', 8);
}

function paxFields(text) {
  const fields = {};
  for (let rest = text; rest !== ''; ) {
    const length = Number.parseInt(rest, 10);
    if (!(length > 0)) break;
    const [, key, value] = /^\d+ ([^=]*)=(.*)\n$/s.exec(rest.slice(0, length)) ?? [];
    if (key !== undefined) fields[key] = value;
    rest = rest.slice(length);
  }
  return fields;
}

function openSource(stream) {
  const chunks = stream[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  let left = 0;
  async function some(most) {
    if (held.length === 0) {
      const { done, value } = await chunks.next();
      if (done) return undefined;
      held = value;
    }
    const part = held.subarray(0, most);
    held = held.subarray(part.length);
    return part;
  }
  async function* portions(bytes) {
    left = bytes;
    while (left > 0) {
      const part = await some(left);
      if (part === undefined) throw new Error('the archive ends too early');
      left -= part.length;
      yield part;
    }
  }
  return {
    portions,
    async take(bytes) {
      const parts = [];
      for await (const part of portions(bytes)) parts.push(part);
      return Buffer.concat(parts);
    },
    async drain() {
      for await (const _ of portions(left));
    },
  };
}
