// SPDX-License-Identifier: Apache-2.0
// probe MODE DIR INDEX ROUNDS: disturbs a directory somebody keeps in order and measures how long the repair takes.
//   delete     unlinks managed file INDEX, then spins on open and read until the content is back
//   overwrite  writes "blah" over it in place, then spins likewise
//   create     creates "unwanted", then spins on lstat until it is gone
// Prints the nanoseconds of each round, one a line. Between rounds it waits until the state has been as asked for 110 ms:
// more than ten repairs a second would be a fight, which the agent slows down. A repair that takes longer than 10 s ends the program with an error.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

static char wanted[BENCH_CONTENT_MAX], path[4096];
static size_t wanted_length;
static int creates;

static int repaired(void) {
  if (creates) {
    struct stat st;
    return lstat(path, &st) != 0 && errno == ENOENT;
  }
  char found[BENCH_CONTENT_MAX];
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t got = read(fd, found, sizeof found);
  close(fd);
  return got == (ssize_t)wanted_length && memcmp(found, wanted, wanted_length) == 0;
}

static void disturb(const char *mode) {
  if (strcmp(mode, "delete") == 0) {
    if (unlink(path) != 0) bench_die(path);
    return;
  }
  int flags = creates ? O_CREAT | O_EXCL : O_TRUNC;
  int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0644);
  if (fd < 0) bench_die(path);
  if (!creates && write(fd, "blah\n", 5) != 5) bench_die(path);
  close(fd);
}

static void settle(void) {
  const struct timespec step = {.tv_nsec = 1000000};
  uint64_t begin = bench_now_ns();
  for (int quiet = 0; quiet < 110; quiet = repaired() ? quiet + 1 : 0) {
    if (bench_now_ns() - begin > 10000000000u) {
      fprintf(stderr, "%s: not in order after 10 s\n", path);
      exit(1);
    }
    nanosleep(&step, NULL);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: probe delete|overwrite|create DIR INDEX ROUNDS\n");
    return 2;
  }
  long index = bench_number(argv[3], 1, 10000000), rounds = bench_number(argv[4], 1, 1000000);
  creates = strcmp(argv[1], "create") == 0;
  char name[BENCH_NAME_MAX] = "unwanted";
  if (!creates) bench_file_name(index, name);
  wanted_length = bench_file_content(index, wanted);
  snprintf(path, sizeof path, "%s/%s", argv[2], name);

  for (long i = 0; i < rounds; i++) {
    settle();
    uint64_t start = bench_now_ns(), now = start;
    disturb(argv[1]);
    while (!repaired()) {
      now = bench_now_ns();
      if (now - start > 10000000000u) {
        fprintf(stderr, "%s: not repaired after 10 s (round %ld, %s)\n", path, i + 1, argv[1]);
        return 1;
      }
    }
    printf("%llu\n", (unsigned long long)(bench_now_ns() - start));
  }
  return 0;
}
