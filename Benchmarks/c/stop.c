// SPDX-License-Identifier: Apache-2.0
// stop PID SECONDS: sends SIGINT to PID and prints the nanoseconds until that process is gone.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: stop PID SECONDS\n");
    return 2;
  }
  pid_t pid = (pid_t)bench_number(argv[1], 2, 0x7fffffff);
  long limit = bench_number(argv[2], 1, 86400);
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) bench_die("pidfd_open");
  uint64_t start = bench_now_ns();
  if (syscall(SYS_pidfd_send_signal, fd, SIGINT, NULL, 0) != 0) bench_die("pidfd_send_signal");
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  if (poll(&wait, 1, (int)(limit * 1000)) != 1) {
    fprintf(stderr, "process %d: still there %ld s after SIGINT\n", pid, limit);
    return 1;
  }
  printf("%llu\n", (unsigned long long)(bench_now_ns() - start));
  return 0;
}
