// SPDX-License-Identifier: Apache-2.0
// parent_loop FILE: FILE has paths, one a line, directories with a slash at their end. Finds for each the nearest directory above it
// by hash, and then an order in which directories come before what is in them; prints the seconds that took, without the reading, and
// the number of pairs found. The least any agent must do to order files after their directories: no parameters, no instances.
#include <stdint.h>
#include <sys/stat.h>

#include "bench.h"

static char *text;
static uint32_t *starts, *lengths, *slots, mask;

static uint64_t hash(const char *bytes, size_t length) {
  uint64_t value = 0xcbf29ce484222325u;
  for (size_t i = 0; i < length; i++) value = (value ^ (unsigned char)bytes[i]) * 0x100000001b3u;
  return value ^ (value >> 29);
}

// The slot of a path: empty (0), or its number plus one.
static uint32_t *find(const char *bytes, size_t length) {
  for (uint32_t slot = (uint32_t)hash(bytes, length) & mask;; slot = (slot + 1) & mask) {
    if (slots[slot] == 0) return &slots[slot];
    uint32_t path = slots[slot] - 1;
    if (lengths[path] == length && memcmp(text + starts[path], bytes, length) == 0) return &slots[slot];
  }
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) bench_die("calloc");
  return memory;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: parent_loop FILE\n");
    return 2;
  }
  FILE *file = fopen(argv[1], "re");
  struct stat st;
  if (file == NULL || fstat(fileno(file), &st) != 0) bench_die(argv[1]);
  size_t size = (size_t)st.st_size;
  text = allocate(size + 1, 1);
  if (fread(text, 1, size, file) != size) bench_die(argv[1]);
  fclose(file);

  uint64_t begin = bench_now_ns();
  uint32_t count = 0;
  for (size_t i = 0; i < size; i++) count += text[i] == '\n';
  starts = allocate(count + 1, sizeof *starts);
  lengths = allocate(count + 1, sizeof *lengths);
  for (mask = 1; mask < 2 * count; mask *= 2) continue;
  slots = allocate(mask--, sizeof *slots);
  for (uint32_t path = 0, at = 0; path < count; path++) {
    starts[path] = at;
    while (text[at] != '\n') at++;
    lengths[path] = at++ - starts[path];
    *find(text + starts[path], lengths[path]) = path + 1;
  }

  uint32_t *parents = allocate(count, sizeof *parents), *first = allocate(count + 2, sizeof *first), pairs = 0;
  for (uint32_t path = 0; path < count; path++) {
    const char *bytes = text + starts[path];
    uint32_t length = lengths[path];
    while (length > 0 && parents[path] == 0) {
      length -= bytes[length - 1] == '/';
      while (length > 0 && bytes[length - 1] != '/') length--;
      if (length > 0) parents[path] = *find(bytes, length);
    }
    if (parents[path] != 0) {
      pairs++;
      first[parents[path] + 1]++;
    }
  }

  // The children of each path one after another, then those without a parent and everything below them.
  uint32_t *children = allocate(pairs + 1, sizeof *children), *order = allocate(count, sizeof *order), ready = 0;
  for (uint32_t path = 0; path < count; path++) first[path + 1] += first[path];
  for (uint32_t path = 0; path < count; path++) {
    if (parents[path] != 0) children[first[parents[path]]++] = path;
  }
  for (uint32_t path = 0; path < count; path++) {
    if (parents[path] == 0) order[ready++] = path;
  }
  for (uint32_t next = 0; next < ready; next++) {
    for (uint32_t child = first[order[next]]; child < first[order[next] + 1]; child++) order[ready++] = children[child];
  }
  if (ready != count) {
    fprintf(stderr, "%u of %u paths have an order\n", ready, count);
    return 1;
  }
  printf("%.9f\n%u\n", (double)(bench_now_ns() - begin) / 1e9, pairs);
  return 0;
}
