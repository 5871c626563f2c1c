// SPDX-License-Identifier: Apache-2.0
// spawn_loop N CMD ARGS...: starts N processes at once, waits for all of them; prints the seconds it took.
#include <spawn.h>
#include <sys/wait.h>

#include "bench.h"

extern char **environ;

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: spawn_loop N CMD ARGS...\n");
    return 2;
  }
  long count = bench_number(argv[1], 1, 100000);
  uint64_t start = bench_now_ns();
  for (long i = 0; i < count; i++) {
    pid_t pid;
    errno = posix_spawn(&pid, argv[2], NULL, NULL, argv + 2, environ);
    if (errno != 0) bench_die(argv[2]);
  }
  for (long i = 0; i < count; i++) {
    int status = 0;
    if (wait(&status) < 0) bench_die("wait");
    if (status != 0) {
      fprintf(stderr, "%s: wait status %d\n", argv[2], status);
      return 1;
    }
  }
  printf("%.9f\n", (double)(bench_now_ns() - start) / 1e9);
  return 0;
}
