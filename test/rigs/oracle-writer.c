// One process of the oracle rig: random operations, the same for the same seed, and a log of them.
//   oracle-writer LOG SEED ZONE...      in the root directory of a filesystem; zones are directories in it
// Commands come on standard input, each is answered with a line:
//   go OPERATIONS PAUSE_US   random operations, with a pause after each burst
//   storm FILES              files that come and go, each with an inode of its own: events that cannot be merged
//   settle                   closes the descriptors and mappings that were kept
// A line of the log: time (ns since the epoch), operation, errno, path and perhaps a second path, percent-encoded.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/aio_abi.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 4096, BLOCK = 4096, KEPT = 4, DIRECTORIES = 5, FILES = 16, DEPTH = 4 };

static char **zones;
static int zone_count;
static FILE *log_file;
static uint64_t state;
static int kept_fds[KEPT];
static char *kept_maps[KEPT];

/* splitmix64 */
static uint64_t next(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static unsigned below(unsigned end) { return next() % end; }

/* Few names, so that processes meet and names are used again; some that have to be quoted everywhere. */
static const char *ODD[] = {"\xff\xfe", "line\nbreak", "-rf", " ", "\xe9t\xe9", "\x1b[31m", "$(touch x)", "%00"};

static char *directory(char *path) {
  // The first zone is the process's own: what it says of it, nobody else contradicts.
  size_t length = sprintf(path, "%s", zones[below(2) == 0 ? 0 : below(zone_count)]);
  for (unsigned depth = below(DEPTH); depth > 0; depth--) length += sprintf(path + length, "/d%u", below(DIRECTORIES));
  return path;
}

static char *file(char *path) {
  size_t length = strlen(directory(path));
  if (below(40) == 0) sprintf(path + length, "/%s", ODD[below(sizeof ODD / sizeof *ODD)]);
  else sprintf(path + length, "/f%u", below(FILES));
  return path;
}

static char *folder(char *path) {
  size_t length = strlen(directory(path));
  sprintf(path + length, "/d%u", below(DIRECTORIES));
  return path;
}

static char *anything(char *path) { return below(5) == 0 ? folder(path) : file(path); }

static void put_path(const char *path) {
  fputc('\t', log_file);
  for (const unsigned char *at = (const unsigned char *)path; *at; at++) {
    if (*at <= ' ' || *at >= 0x7f || *at == '%') fprintf(log_file, "%%%02X", *at);
    else fputc(*at, log_file);
  }
}

static void note(const char *operation, int failed, const char *path, const char *other) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  fprintf(log_file, "%lld%09ld\t%s\t%d", (long long)time.tv_sec, time.tv_nsec, operation, failed);
  put_path(path);
  if (other) put_path(other);
  fputc('\n', log_file);
  // The machine is in the way, not another process: nothing after this would mean anything.
  if (failed == ENOSPC || failed == EIO || failed == EMFILE || failed == ENOMEM) {
    fprintf(stderr, "oracle-writer: %s %s: %s\n", operation, path, strerror(failed));
    exit(74);
  }
}

#define TRY(call) ((call) == -1 ? errno : 0)

static char content[4 * BLOCK];

static size_t fill(void) {
  size_t length = below(3) == 0 ? below(sizeof content) : below(200);
  uint64_t word = next();
  for (size_t at = 0; at < length; at++) content[at] = word >> (at % 8 * 8);
  return length;
}

/* Opens, does, closes; says what went wrong first. A FIFO must not block. */
static int with(const char *path, int flags, int (*act)(int fd)) {
  int fd = open(path, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd == -1) return errno;
  int failed = act ? act(fd) : 0;
  close(fd);
  return failed;
}

static int do_write(int fd) { return TRY(write(fd, content, fill())); }
static int do_pwrite(int fd) { return TRY(pwrite(fd, content, fill(), below(2 * BLOCK))); }
static int do_ftruncate(int fd) { return TRY(ftruncate(fd, below(2 * BLOCK))); }
static int do_punch(int fd) { return TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, below(BLOCK), BLOCK)); }
static int do_extend(int fd) { return TRY(fallocate(fd, 0, below(BLOCK), BLOCK)); }

static int is_file(int fd) {
  struct stat stat;
  return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

static char *map(int fd) {
  if (!is_file(fd) || ftruncate(fd, BLOCK) == -1) return NULL;
  char *at = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return at == MAP_FAILED ? NULL : at;
}

static sigjmp_buf truncated;

static void on_bus_error(int signal) {
  (void)signal;
  siglongjmp(truncated, 1);
}

/* A store into a mapping; another process may have cut the file off meanwhile. */
static void store(char *at, size_t length) {
  int byte = (int)next();
  if (sigsetjmp(truncated, 1) == 0) memset(at, byte, length);
}

static int do_mmap(int fd) {
  char *at = map(fd);
  if (!at) return EINVAL;
  store(at + below(BLOCK - 100), below(100));
  return TRY(munmap(at, BLOCK));
}

/* The descriptor goes, the mapping stays: its stores give no event until it is unmapped. */
static int do_keep_map(int fd) {
  int slot = below(KEPT);
  if (kept_maps[slot]) munmap(kept_maps[slot], BLOCK);
  kept_maps[slot] = map(fd);
  if (kept_maps[slot]) store(kept_maps[slot] + below(BLOCK), 1);
  return 0;
}

static int do_keep(int fd) {
  int slot = below(KEPT);
  if (kept_fds[slot] > 0) close(kept_fds[slot]);
  kept_fds[slot] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return 0;
}

/* libaio: an event only when the descriptor is closed. */
static int do_aio(int fd) {
  aio_context_t context = 0;
  if (!is_file(fd) || syscall(SYS_io_setup, 1, &context) == -1) return EINVAL;
  struct iocb block = {.aio_fildes = fd, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_buf = (uint64_t)(uintptr_t)content,
                       .aio_nbytes = fill(), .aio_offset = below(BLOCK)};
  struct iocb *blocks[] = {&block};
  struct io_event event;
  int failed = TRY(syscall(SYS_io_submit, context, 1, blocks));
  if (failed == 0) syscall(SYS_io_getevents, context, 1, 1, &event, NULL);
  syscall(SYS_io_destroy, context);
  return failed;
}

static int do_copy(int fd) {
  char from[PATH];
  int source = open(file(from), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (source == -1) return errno;
  int failed = TRY(copy_file_range(source, NULL, fd, NULL, 2 * BLOCK, 0));
  close(source);
  return failed;
}

/* Ends without closing anything. */
static int do_killed(int fd) {
  pid_t child = fork();
  if (child == 0) {
    do_write(fd);
    kill(getpid(), SIGKILL);
  }
  int status;
  return TRY(waitpid(child, &status, 0));
}

static int tmpfile_link(const char *directory, const char *path) {
  char self[64];
  int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd == -1) return errno;
  unsigned when = below(3);
  if (when != 1) do_write(fd);
  sprintf(self, "/proc/self/fd/%d", fd);
  int failed = TRY(linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
  if (when != 0) do_write(fd);
  close(fd);
  return failed;
}

static int replace(const char *path) {
  char temporary[PATH + 8];
  sprintf(temporary, "%s.tmp", path);
  int failed = with(temporary, O_WRONLY | O_CREAT | O_TRUNC, do_write);
  if (failed) return failed;
  failed = TRY(rename(temporary, path));
  if (failed) unlink(temporary);
  return failed;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *at) {
  (void)stat, (void)type, (void)at;
  remove(path);
  return 0;
}

static int change_times(const char *path) {
  struct timespec times[2] = {{.tv_sec = below(1u << 30)}, {.tv_sec = below(1u << 30), .tv_nsec = below(1000000000)}};
  if (below(3) == 0) times[0].tv_nsec = UTIME_OMIT;
  return TRY(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}

static int change_xattr(const char *path) {
  char name[32];
  sprintf(name, "user.x%u", below(3));
  if (below(3) == 0) return TRY(lremovexattr(path, name));
  return TRY(lsetxattr(path, name, content, below(20), 0));
}

static void kept(void) {
  int slot = below(KEPT);
  if (kept_fds[slot] > 0) note("write-kept", do_write(kept_fds[slot]), "", NULL);
  if (kept_maps[slot]) store(kept_maps[slot] + below(BLOCK), 1);
}

static void one(void) {
  char a[PATH], b[PATH];
  const int CREATE = O_WRONLY | O_CREAT;
  static const mode_t MODES[] = {0600, 0644, 0755, 04711, 0};
#define WITH(name, path, flags, act) note(name, with(path, flags, act), path, NULL)
#define TWO(name, from, to, call) (from, to, note(name, TRY(call), a, b))
  switch (below(64)) {
    case 0 ... 5: WITH("write", file(a), CREATE | O_TRUNC, do_write); break;
    case 6 ... 8: WITH("append", file(a), CREATE | O_APPEND, do_write); break;
    case 9 ... 11: WITH("overwrite", file(a), O_WRONLY, do_pwrite); break;
    case 12: WITH("create", file(a), CREATE, NULL); break;
    case 13: WITH("trunc", file(a), O_WRONLY | O_TRUNC, NULL); break;
    case 14: file(a), note("truncate", TRY(truncate(a, below(2 * BLOCK))), a, NULL); break;
    case 15: WITH("ftruncate", file(a), O_WRONLY, do_ftruncate); break;
    case 16 ... 18: TWO("rename", file(a), file(b), rename(a, b)); break;
    case 19: TWO("rename-any", anything(a), anything(b), rename(a, b)); break;
    case 20 ... 23: TWO("rename-dir", folder(a), folder(b), rename(a, b)); break;
    case 24: TWO("exchange", anything(a), anything(b), renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)); break;
    case 25: TWO("whiteout", file(a), file(b), renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_WHITEOUT)); break;
    case 26 ... 27: TWO("link", file(a), file(b), linkat(AT_FDCWD, a, AT_FDCWD, b, 0)); break;
    case 28 ... 32: file(a), note("unlink", TRY(unlink(a)), a, NULL); break;
    case 33 ... 37: folder(a), note("mkdir", TRY(mkdir(a, 0755)), a, NULL); break;
    case 38: folder(a), note("rmdir", TRY(rmdir(a)), a, NULL); break;
    case 39: folder(a), note("rmtree", TRY(nftw(a, remove_one, 16, FTW_DEPTH | FTW_PHYS)), a, NULL); break;
    case 40 ... 41: anything(a), note("chmod", TRY(fchmodat(AT_FDCWD, a, MODES[below(5)], 0)), a, NULL); break;
    case 42: anything(a), note("chown", TRY(lchown(a, below(3), below(3))), a, NULL); break;
    case 43 ... 44: anything(a), note("utime", change_times(a), a, NULL); break;
    case 45 ... 46: anything(a), note("xattr", change_xattr(a), a, NULL); break;
    case 47 ... 48: WITH("mmap", file(a), O_RDWR, do_mmap); break;
    case 49: TWO("symlink", directory(b), file(a), symlink(b, a)); break;
    case 50: file(a), note("mkfifo", TRY(mkfifo(a, 0600)), a, NULL); break;
    case 51 ... 52: directory(b), file(a), note("tmpfile", tmpfile_link(b, a), a, NULL); break;
    case 53: WITH("punch", file(a), O_WRONLY, do_punch); break;
    case 54: WITH("extend", file(a), O_WRONLY, do_extend); break;
    case 55: WITH("copy", file(a), CREATE, do_copy); break;
    case 56 ... 58: file(a), note("replace", replace(a), a, NULL); break;
    case 59: WITH("aio", file(a), O_WRONLY, do_aio); break;
    case 60: below(8) == 0 ? WITH("killed", file(a), CREATE, do_killed) : kept(); break;
    case 61: WITH("keep", file(a), O_WRONLY, do_keep); break;
    // What is accepted at once must not change later without any event (fanotify reference: mapped stores).
    case 62: if (!strstr(file(a), "accepted")) WITH("keep-map", a, O_RDWR, do_keep_map); break;
    default: kept();
  }
}

static void storm(unsigned files) {
  char path[PATH];
  sprintf(path, "%s/storm", zones[0]);
  for (unsigned n = 0; n < files; n++) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd != -1) close(fd);
    unlink(path);
  }
  note("storm", 0, path, NULL);
}

static void settle(void) {
  for (int slot = 0; slot < KEPT; slot++) {
    if (kept_fds[slot] > 0) close(kept_fds[slot]);
    if (kept_maps[slot]) munmap(kept_maps[slot], BLOCK);
    kept_fds[slot] = 0;
    kept_maps[slot] = NULL;
  }
}

int main(int count, char **words) {
  char line[128];
  unsigned operations, pause;
  if (count < 4 || !(log_file = fopen(words[1], "ae"))) return 64;
  umask(0);
  signal(SIGBUS, on_bus_error);
  state = strtoull(words[2], NULL, 10);
  zones = words + 3;
  zone_count = count - 3;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "go %u %u", &operations, &pause) == 2) {
      for (unsigned n = 0, burst = 0; n < operations; n++, burst--) {
        if (burst == 0) {
          if (n > 0 && pause > 0) usleep(below(2 * pause));
          burst = 1 + below(100);
        }
        one();
      }
    } else if (sscanf(line, "storm %u", &operations) == 1) storm(operations);
    else settle();
    fflush(log_file);
    puts("done");
    fflush(stdout);
  }
  return 0;
}
