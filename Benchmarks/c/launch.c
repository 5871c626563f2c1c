// SPDX-License-Identifier: Apache-2.0
// launch CMD ARGS...: becomes CMD, which dies with the program that started it, so that no agent outlives an interrupted
// benchmark.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: launch CMD ARGS...\n");
    return 2;
  }
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) bench_die("prctl");
  execv(argv[1], argv + 1);
  bench_die(argv[1]);
}
