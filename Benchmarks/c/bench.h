// SPDX-License-Identifier: Apache-2.0
// What the benchmark programs share: the clock, the failing exit, and the names and contents of the managed files.
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BENCH_NAME_MAX = 32, BENCH_CONTENT_MAX = 128 };

static inline uint64_t bench_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline _Noreturn void bench_die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

// A decimal argument within [low, high]; anything else ends the program.
static inline long bench_number(const char *text, long low, long high) {
  char *end = NULL;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < low || value > high) {
    fprintf(stderr, "'%s' is not a number from %ld to %ld\n", text, low, high);
    exit(2);
  }
  return value;
}

// Graphs.swift writes the same names and contents into the YAML: change both together.
static inline void bench_file_name(long index, char name[BENCH_NAME_MAX]) {
  snprintf(name, BENCH_NAME_MAX, "f%ld", index);
}

static inline size_t bench_file_content(long index, char content[BENCH_CONTENT_MAX]) {
  return (size_t)snprintf(content, BENCH_CONTENT_MAX, "This is file %ld. Its content is managed.\n", index);
}

#endif
