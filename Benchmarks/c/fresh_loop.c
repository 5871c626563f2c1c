// SPDX-License-Identifier: Apache-2.0
// fresh_loop DIR N: creates the N managed files in DIR, each by temporary file, write, fchmod and rename, and brings them to the
// disk; prints the seconds both took. The least any agent must do to create N files so that no reader ever sees half of one.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: fresh_loop DIR N\n");
    return 2;
  }
  long count = bench_number(argv[2], 1, 10000000);
  uint64_t start = bench_now_ns();
  for (long i = 1; i <= count; i++) {
    char name[BENCH_NAME_MAX], path[4096], temporary[4096], content[BENCH_CONTENT_MAX];
    bench_file_name(i, name);
    size_t length = bench_file_content(i, content);
    snprintf(path, sizeof path, "%s/%s", argv[1], name);
    snprintf(temporary, sizeof temporary, "%s/.%s.new", argv[1], name);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) bench_die(temporary);
    if (write(fd, content, length) != (ssize_t)length) bench_die(temporary);
    if (fchmod(fd, 0644) != 0) bench_die(temporary);
    if (close(fd) != 0) bench_die(temporary);
    if (rename(temporary, path) != 0) bench_die(path);
  }
  uint64_t written = bench_now_ns();
  int folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0 || syncfs(folder) != 0) bench_die(argv[1]);
  printf("%.9f\n%.9f\n", (double)(written - start) / 1e9, (double)(bench_now_ns() - written) / 1e9);
  return 0;
}
