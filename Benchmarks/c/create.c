// SPDX-License-Identifier: Apache-2.0
// create DIR: creates the first managed file. What "a program starts and a file appears" costs at least.
#include <fcntl.h>
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: create DIR\n");
    return 2;
  }
  char name[BENCH_NAME_MAX], path[4096], content[BENCH_CONTENT_MAX];
  bench_file_name(1, name);
  size_t length = bench_file_content(1, content);
  snprintf(path, sizeof path, "%s/%s", argv[1], name);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) bench_die(path);
  if (write(fd, content, length) != (ssize_t)length) bench_die(path);
  return close(fd) == 0 ? 0 : 1;
}
