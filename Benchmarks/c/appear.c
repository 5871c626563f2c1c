// SPDX-License-Identifier: Apache-2.0
// appear DIR NAME SECONDS CMD ARGS...: runs CMD and prints the nanoseconds from fork to the moment DIR/NAME exists.
// It sleeps on inotify until then: spinning would take a core from the program it measures. CMD must end by itself.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: appear DIR NAME SECONDS CMD ARGS...\n");
    return 2;
  }
  long limit = bench_number(argv[3], 1, 86400);
  int dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) bench_die(argv[1]);
  int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0 || inotify_add_watch(fd, argv[1], IN_CREATE | IN_MOVED_TO) < 0) bench_die("inotify");

  uint64_t start = bench_now_ns();
  pid_t pid = fork();
  if (pid < 0) bench_die("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    execv(argv[4], argv + 4);
    bench_die(argv[4]);
  }
  uint64_t deadline = start + (uint64_t)limit * 1000000000u, now = start;
  struct stat st;
  while (fstatat(dir, argv[2], &st, AT_SYMLINK_NOFOLLOW) != 0) {
    char events[4096];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    now = bench_now_ns();
    if (now > deadline || poll(&wait, 1, (int)((deadline - now) / 1000000u) + 1) <= 0) {
      fprintf(stderr, "%s/%s: not there after %ld s\n", argv[1], argv[2], limit);
      kill(-pid, SIGKILL);
      return 1;
    }
    while (read(fd, events, sizeof events) > 0) continue;
  }
  now = bench_now_ns();

  int status = 0;
  sigset_t chld;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_BLOCK, &chld, NULL);
  struct timespec left = {.tv_sec = limit};
  if (waitpid(pid, &status, WNOHANG) == 0 && (sigtimedwait(&chld, NULL, &left) < 0 || waitpid(pid, &status, WNOHANG) != pid)) {
    fprintf(stderr, "%s: still running after %ld s\n", argv[4], limit);
    kill(-pid, SIGKILL);
    return 1;
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fprintf(stderr, "%s: failed (wait status %d)\n", argv[4], status);
    return 1;
  }
  printf("%llu\n", (unsigned long long)(now - start));
  return 0;
}
