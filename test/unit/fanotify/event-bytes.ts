// Builds event buffers as the kernel lays them out (fanotify(7)).

export function record(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt8(type, 0);
  head.writeUInt16LE(4 + body.length, 2);
  return Buffer.concat([head, body]);
}

export function fid(type: number, handle: Buffer, tail: Buffer = Buffer.alloc(0), fsid = '0102030405060708'): Buffer {
  const head = Buffer.alloc(16);
  head.write(fsid, 0, 'hex');
  head.writeUInt32LE(handle.length, 8);
  head.writeInt32LE(1, 12);
  const body = Buffer.concat([head, handle, tail]);
  return record(type, Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]));
}

export function event(mask: bigint, pid: number, records: readonly Buffer[], fd = -1): Buffer {
  const body = Buffer.concat(records);
  const head = Buffer.alloc(24);
  head.writeUInt32LE(24 + body.length, 0);
  head.writeUInt8(3, 4);
  head.writeUInt16LE(24, 6);
  head.writeBigUInt64LE(mask, 8);
  head.writeInt32LE(fd, 16);
  head.writeInt32LE(pid, 20);
  return Buffer.concat([head, body]);
}
