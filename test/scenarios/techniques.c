// Ways to change a file that no shell command offers: `techniques WAY PATH [OTHER]`. One way each, told by its name.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static void must(int ok, const char *what) {
  if (ok) return;
  perror(what);
  exit(1);
}

static int opened(const char *path, int flags) {
  int fd = open(path, flags, 0644);
  must(fd >= 0, path);
  return fd;
}

static char *mapped(int fd) {
  char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  must(at != MAP_FAILED, "mmap");
  return at;
}

// The mapping lives on after the descriptor, and the store comes after both.
static void map_and_end(const char *path) {
  int fd = opened(path, O_RDWR);
  char *at = mapped(fd);
  close(fd);
  at[0] = 'M';
  must(munmap(at, 4096) == 0, "munmap");
}

// Says when it has stored, and holds the mapping until its standard input ends.
static void map_and_hold(const char *path) {
  int fd = opened(path, O_RDWR);
  char *at = mapped(fd);
  close(fd);
  at[0] = 'H';
  must(msync(at, 4096, MS_SYNC) == 0, "msync");
  puts("held");
  fflush(stdout);
  char end;
  while (read(0, &end, 1) > 0) {
  }
}

static void tmpfile_link(const char *dir, const char *name) {
  int fd = open(dir, O_TMPFILE | O_RDWR, 0644);
  must(fd >= 0, "O_TMPFILE");
  must(write(fd, "linked", 6) == 6, "write");
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  must(linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0, "linkat");
}

// The last write comes after the name, and its event does not have it.
static void tmpfile_link_write(const char *dir, const char *name) {
  int fd = open(dir, O_TMPFILE | O_RDWR, 0644);
  must(fd >= 0, "O_TMPFILE");
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  must(linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0, "linkat");
  usleep(300000);
  must(write(fd, "later", 5) == 5, "write");
}

static void rename_with(const char *from, const char *to, unsigned flags) {
  must(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags) == 0, "renameat2");
}

static void hole(const char *path) {
  int fd = opened(path, O_RDWR);
  must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0, "fallocate");
}

static void set_flags(const char *path) {
  int fd = opened(path, O_RDONLY);
  int flags;
  must(ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0, "FS_IOC_GETFLAGS");
  flags |= FS_NODUMP_FL;
  must(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0, "FS_IOC_SETFLAGS");
}

static void copy_range(const char *path, const char *from) {
  int in = opened(from, O_RDONLY), out = opened(path, O_WRONLY);
  must(copy_file_range(in, NULL, out, NULL, 4096, 0) > 0, "copy_file_range");
}

static void aio(const char *path) {
  int fd = opened(path, O_WRONLY);
  aio_context_t context = 0;
  must(syscall(SYS_io_setup, 1, &context) == 0, "io_setup");
  static char text[] = "libaio";
  struct iocb one = {.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_buf = (__u64)text, .aio_nbytes = 6};
  struct iocb *list[] = {&one};
  must(syscall(SYS_io_submit, context, 1, list) == 1, "io_submit");
  struct io_event done;
  must(syscall(SYS_io_getevents, context, 1, 1, &done, NULL) == 1 && done.res == 6, "io_getevents");
}

static void uring(const char *path) {
  int fd = opened(path, O_WRONLY);
  struct io_uring_params params = {0};
  int ring = syscall(SYS_io_uring_setup, 1, &params);
  must(ring >= 0, "io_uring_setup");
  size_t bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  char *queue = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *entry = mmap(NULL, params.sq_entries * sizeof *entry, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
                                    IORING_OFF_SQES);
  must(queue != MAP_FAILED && (void *)entry != MAP_FAILED, "mmap of the ring");
  static char text[] = "io_uring";
  memset(entry, 0, sizeof *entry);
  entry->opcode = IORING_OP_WRITE;
  entry->fd = fd;
  entry->addr = (__u64)text;
  entry->len = 8;
  ((unsigned *)(queue + params.sq_off.array))[0] = 0;
  __atomic_fetch_add((unsigned *)(queue + params.sq_off.tail), 1, __ATOMIC_RELEASE);
  must(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1, "io_uring_enter");
}

int main(int count, char **words) {
  const char *way = words[1], *path = words[2], *other = count > 3 ? words[3] : NULL;
  if (!strcmp(way, "mmap")) map_and_end(path);
  else if (!strcmp(way, "mmap-hold")) map_and_hold(path);
  else if (!strcmp(way, "tmpfile-link")) tmpfile_link(path, other);
  else if (!strcmp(way, "tmpfile-link-write")) tmpfile_link_write(path, other);
  else if (!strcmp(way, "exchange")) rename_with(path, other, RENAME_EXCHANGE);
  else if (!strcmp(way, "whiteout")) rename_with(path, other, RENAME_WHITEOUT);
  else if (!strcmp(way, "truncate")) must(truncate(path, 1) == 0, "truncate");
  else if (!strcmp(way, "hole")) hole(path);
  else if (!strcmp(way, "flags")) set_flags(path);
  else if (!strcmp(way, "copy-range")) copy_range(path, other);
  else if (!strcmp(way, "libaio")) aio(path);
  else if (!strcmp(way, "io-uring")) uring(path);
  else must(0, way);
  return 0;
}
