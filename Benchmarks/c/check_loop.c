// SPDX-License-Identifier: Apache-2.0
// check_loop DIR N: opens, stats, reads and compares the N managed files in DIR; prints the seconds it took.
// The least any agent must do to know that N files are as asked. Fails if one is not.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: check_loop DIR N\n");
    return 2;
  }
  long count = bench_number(argv[2], 1, 10000000);
  uint64_t start = bench_now_ns();
  for (long i = 1; i <= count; i++) {
    char name[BENCH_NAME_MAX], path[4096], wanted[BENCH_CONTENT_MAX], found[BENCH_CONTENT_MAX];
    bench_file_name(i, name);
    size_t length = bench_file_content(i, wanted);
    snprintf(path, sizeof path, "%s/%s", argv[1], name);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) bench_die(path);
    struct stat st;
    if (fstat(fd, &st) != 0) bench_die(path);
    ssize_t got = read(fd, found, sizeof found);
    if (got < 0) bench_die(path);
    if (!S_ISREG(st.st_mode) || (size_t)st.st_size != length || (size_t)got != length || memcmp(found, wanted, length) != 0) {
      fprintf(stderr, "%s: not as asked\n", path);
      return 1;
    }
    close(fd);
  }
  printf("%.9f\n", (double)(bench_now_ns() - start) / 1e9);
  return 0;
}
