// Opens and closes files, and notes when: writer STAMPS DIRECTORY FIRST COUNT INTERVAL_NS START_NS
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char **words) {
  if (count != 7) return 64;
  long first = atol(words[3]), files = atol(words[4]);
  int64_t interval = atoll(words[5]), start = atoll(words[6]);
  int stamps_fd = open(words[1], O_RDWR);
  double *stamps = mmap(NULL, (first + files) * sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED, stamps_fd, 0);
  int directory = open(words[2], O_RDONLY | O_DIRECTORY);
  if (stamps == MAP_FAILED || directory == -1) return 66;
  // Neither page faults nor the others' start belong to the storm.
  for (long index = first; index < first + files; index++) stamps[index] = 0;
  while (now() < start) usleep(50);
  for (long index = first; index < first + files; index++) {
    char name[32];
    if (interval > 0) {
      int64_t due = start + (index - first) * interval;
      struct timespec at = {due / 1000000000, due % 1000000000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    }
    snprintf(name, sizeof name, "f%ld", index);
    int fd = openat(directory, name, O_WRONLY);
    if (fd == -1) return 74;
    stamps[index] = now();
    close(fd);
  }
  return 0;
}
