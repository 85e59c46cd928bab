// Writes to files again and again, and notes when each was closed last: watch-writer STAMPS DIRECTORY FIRST FILES WRITES
// FILES files from number FIRST on, WRITES writes of one byte in turn; prints the processor time that it took, in us.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

static double microseconds(struct timeval time) { return time.tv_sec * 1e6 + time.tv_usec; }

int main(int count, char **words) {
  if (count != 6) return 64;
  long first = atol(words[3]), files = atol(words[4]), writes = atol(words[5]);
  int stamps_fd = open(words[1], O_RDWR);
  double *stamps = mmap(NULL, (first + files) * sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED, stamps_fd, 0);
  int directory = open(words[2], O_RDONLY | O_DIRECTORY);
  if (stamps == MAP_FAILED || directory == -1) return 66;
  for (long n = 0; n < writes; n++) {
    long file = first + n % files;
    char name[32], byte = (char)('a' + n / files % 26);
    snprintf(name, sizeof name, "f%ld", file);
    int fd = openat(directory, name, O_WRONLY);
    if (fd == -1 || write(fd, &byte, 1) != 1) return 74;
    stamps[file] = now();
    close(fd);
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("%.0f\n", microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
  return 0;
}
