// Calls that no usual program makes, as perl(1) one-liners: perl is in every Debian, and no compiler is needed.

/** By architecture, as asm/unistd.h has them. */
const NUMBERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  x64: { mmap: 9, read: 0, renameat2: 316, io_setup: 206, io_submit: 209, io_getevents: 208, openByHandle: 304 },
  arm64: { mmap: 222, read: 63, renameat2: 276, io_setup: 0, io_submit: 2, io_getevents: 4, openByHandle: 265 },
};

function number(call: string): number {
  const found = NUMBERS[process.arch]?.[call];
  if (found === undefined) throw new Error(`the number of ${call} on ${process.arch} is not known here`);
  return found;
}

const AT_FDCWD = -100;

/** renameat2(2). `flags`: 2 exchanges, 4 leaves a whiteout. */
export function renameat2(from: string, to: string, flags: 2 | 4): string {
  // Literals would be read-only, which syscall does not take.
  const names = `my ($from, $to) = ("${from}", "${to}")`;
  const call = `syscall(${number('renameat2')}, ${AT_FDCWD}, $from, ${AT_FDCWD}, $to, ${flags})`;
  return `perl -e '${names}; ${call} == 0 or die $!'`;
}

/** io_submit(2): one write at the start of a file, waited for, while the descriptor stays open until the end. */
export function libaioWrite(file: string): string {
  return `perl -e '
    open(my $f, "+<", "${file}") or die $!;
    my $context = pack("Q", 0);
    syscall(${number('io_setup')}, 1, $context) == 0 or die $!;
    my $data = "aio";
    my $iocb = pack("QLLSsLPQqQLL", 0, 0, 0, 1, 0, fileno($f), $data, 3, 0, 0, 0, 0);
    my $list = pack("P", $iocb);
    my $id = unpack("Q", $context);
    syscall(${number('io_submit')}, $id, 1, $list) == 1 or die $!;
    my $done = "\\0" x 32;
    syscall(${number('io_getevents')}, $id, 1, 1, $done, 0) == 1 or die $!;
    unpack("x16q", $done) == 3 or die "not written";'`;
}

/** Maps a file shared, closes it, stores into the mapping, says so on the output and waits for the end of its input. */
export function mappedStore(file: string): string {
  return `perl -e '
    open(my $f, "+<", "${file}") or die $!;
    my $at = syscall(${number('mmap')}, 0, 4096, 3, 1, fileno($f), 0);
    $at != -1 or die $!;
    close $f;
    open(my $zero, "<", "/dev/zero") or die $!;
    syscall(${number('read')}, fileno($zero), $at, 10) == 10 or die $!;
    syswrite STDOUT, "stored";
    sysread STDIN, my $end, 1;'`;
}

/** open_by_handle_at(2) for writing, one byte; `handle`: a struct file_handle, as info records have it. */
export function writeByHandle(mount: string, handle: string): string {
  const hex = Buffer.from(handle, 'latin1').toString('hex');
  return `perl -e '
    open(my $mount, "<", "${mount}") or die $!;
    my $handle = pack("H*", "${hex}");
    my $fd = syscall(${number('openByHandle')}, fileno($mount), $handle, 1);
    $fd != -1 or die $!;
    open(my $f, ">&=", $fd) or die $!;
    syswrite($f, "x") == 1 or die $!;'`;
}
