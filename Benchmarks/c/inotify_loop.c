// SPDX-License-Identifier: Apache-2.0
// inotify_loop DIR N: watches DIR and keeps the files 1 to N in it as asked (temporary file, rename) and a file named
// "unwanted" absent, until SIGINT or SIGTERM. Prints "ready" once the watch is armed and every file is in place.
// The baseline for repair latency: one thread, one descriptor, no graph, no log.
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

static int dir = -1;

static int as_asked(const char *name, const char *wanted, size_t length) {
  char found[BENCH_CONTENT_MAX];
  struct stat st;
  int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return 0;
  int same = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size == length &&
             read(fd, found, sizeof found) == (ssize_t)length && memcmp(found, wanted, length) == 0;
  close(fd);
  return same;
}

static void keep(long index) {
  char name[BENCH_NAME_MAX], temporary[BENCH_NAME_MAX + 8], content[BENCH_CONTENT_MAX];
  bench_file_name(index, name);
  size_t length = bench_file_content(index, content);
  if (as_asked(name, content, length)) return;
  snprintf(temporary, sizeof temporary, ".%s.new", name);
  int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) bench_die(temporary);
  if (write(fd, content, length) != (ssize_t)length) bench_die(temporary);
  close(fd);
  if (renameat(dir, temporary, dir, name) != 0) bench_die(name);
}

static void seen(const char *name, long count) {
  if (strcmp(name, "unwanted") == 0) {
    unlinkat(dir, name, 0);
    return;
  }
  if (name[0] != 'f') return;
  char *end = NULL;
  long index = strtol(name + 1, &end, 10);
  if (*end == '\0' && index >= 1 && index <= count) keep(index);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: inotify_loop DIR N\n");
    return 2;
  }
  long count = bench_number(argv[2], 1, 10000000);
  dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) bench_die(argv[1]);
  int fd = inotify_init1(IN_CLOEXEC);
  if (fd < 0) bench_die("inotify_init1");
  const uint32_t mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;
  if (inotify_add_watch(fd, argv[1], mask) < 0) bench_die(argv[1]);
  for (long i = 1; i <= count; i++) keep(i);
  unlinkat(dir, "unwanted", 0);
  printf("ready\n");
  fflush(stdout);

  _Alignas(struct inotify_event) static char buffer[65536];
  for (;;) {
    ssize_t got = read(fd, buffer, sizeof buffer);
    if (got <= 0) bench_die("read");
    for (char *at = buffer; at < buffer + got;) {
      const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
      if (event->len > 0) seen(event->name, count);
      at += sizeof *event + event->len;
    }
  }
}
