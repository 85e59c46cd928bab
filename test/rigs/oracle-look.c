// What is there, as the oracle rig sees it, with no line of code in common with the program under test.
//   oracle-look DIRECTORY     a line for each entry below it (bytes, sorted by nobody), fields separated by tabs:
//   path (percent-encoded), type, mode, uid, gid, size, mtime (ns), content: hash, target or device, xattrs
// Of directories size and mtime are left out: they change with what is in them.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static void fail(const char *path) {
  fprintf(stderr, "oracle-look: %s: %s\n", path, strerror(errno));
  exit(74);
}

static void encoded(const char *text) {
  for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
    if (*at <= ' ' || *at >= 0x7f || *at == '%') printf("%%%02X", *at);
    else putchar(*at);
  }
}

/* FNV-1a */
static void content(const char *path) {
  unsigned char buffer[65536];
  uint64_t hash = 0xcbf29ce484222325;
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fd == -1) fail(path);
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) != 0;) {
    if (got == -1) fail(path);
    for (ssize_t at = 0; at < got; at++) hash = (hash ^ buffer[at]) * 0x100000001b3;
  }
  close(fd);
  printf("%016llx", (unsigned long long)hash);
}

static void link_target(const char *path) {
  char target[4097];
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length == -1) fail(path);
  target[length] = 0;
  encoded(target);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void xattrs(const char *path) {
  char list[65536], value[65536], *names[1024];
  ssize_t length = llistxattr(path, list, sizeof list);
  int count = 0;
  for (ssize_t at = 0; at < length && count < 1024; at += strlen(list + at) + 1) names[count++] = list + at;
  qsort(names, count, sizeof *names, by_name);
  for (int n = 0; n < count; n++) {
    ssize_t size = lgetxattr(path, names[n], value, sizeof value);
    printf("%s%s=", n > 0 ? "," : "", names[n]);
    for (ssize_t at = 0; at < size; at++) printf("%02x", (unsigned char)value[at]);
  }
}

static const char *type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "symlink";
    case S_IFIFO: return "fifo";
    case S_IFCHR: return "char";
    case S_IFBLK: return "block";
    default: return "socket";
  }
}

static void look(const char *path) {
  struct stat stat;
  if (lstat(path, &stat) == -1) fail(path);
  encoded(path);
  printf("\t%s\t%04o\t%u\t%u\t", type_of(stat.st_mode), stat.st_mode & 07777, stat.st_uid, stat.st_gid);
  if (S_ISDIR(stat.st_mode)) printf("\t\t");
  else printf("%lld\t%lld\t", (long long)stat.st_size, stat.st_mtim.tv_sec * 1000000000LL + stat.st_mtim.tv_nsec);
  if (S_ISREG(stat.st_mode)) content(path);
  if (S_ISLNK(stat.st_mode)) link_target(path);
  if (S_ISCHR(stat.st_mode) || S_ISBLK(stat.st_mode)) printf("%u:%u", major(stat.st_rdev), minor(stat.st_rdev));
  putchar('\t');
  xattrs(path);
  putchar('\n');
  if (!S_ISDIR(stat.st_mode)) return;
  DIR *directory = opendir(path);
  if (!directory) fail(path);
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    char below[8192];
    if (snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < (int)sizeof below) look(below);
  }
  closedir(directory);
}

int main(int count, char **words) {
  for (int n = 1; n < count; n++) look(words[n]);
  return 0;
}
