// SPDX-License-Identifier: Apache-2.0
// measure RESULT SECONDS CMD ARGS...: runs CMD, at most SECONDS long, and writes to the file RESULT
//   status (exit code, or 128 + signal) · wall ns · CPU ns · peak resident set in KiB
// A small C program does this because the peak the kernel reports starts at the size of the process that forked.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: measure RESULT SECONDS CMD ARGS...\n");
    return 2;
  }
  long limit = bench_number(argv[2], 1, 86400);
  sigset_t chld, old;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_BLOCK, &chld, &old);

  uint64_t start = bench_now_ns();
  pid_t pid = fork();
  if (pid < 0) bench_die("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    execv(argv[3], argv + 3);
    bench_die(argv[3]);
  }
  struct timespec left = {.tv_sec = limit};
  if (sigtimedwait(&chld, NULL, &left) < 0) {
    fprintf(stderr, "%s: still running after %ld s\n", argv[3], limit);
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 1;
  }
  int status = 0;
  struct rusage used;
  if (wait4(pid, &status, 0, &used) != pid) bench_die("wait4");
  uint64_t wall = bench_now_ns() - start;
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  uint64_t cpu = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000u +
                 (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000u;
  FILE *result = fopen(argv[1], "we");
  if (result == NULL) bench_die(argv[1]);
  fprintf(result, "%d %llu %llu %ld\n", code, (unsigned long long)wall, (unsigned long long)cpu, used.ru_maxrss);
  return fclose(result) == 0 ? 0 : 1;
}
