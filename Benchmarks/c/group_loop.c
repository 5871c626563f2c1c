// SPDX-License-Identifier: Apache-2.0
// group_loop FILE: FILE has the number of vertices and then edges, a line each: from, to. Forms the groups that grouping by
// non-reachability must form when any vertex may be with any other: from the last vertex to the first, who is in no group yet leads, and
// takes from the last to the first who is in none, leads none and has no path to or from the group. Prints the seconds that took,
// without the reading, and for each vertex the lowest number in its group.
// The plainest way, a search of the whole graph for each group: quadratic for long chains, fast where groups are few.
#include <stdint.h>

#include "bench.h"

static uint32_t count, edges;
// Neighbours of a vertex in one direction: ends[first[v]] … ends[first[v + 1] - 1].
struct side {
  uint32_t *first, *ends;
  // Who leads the vertices on this side of the group that is being formed has its number here, plus one.
  uint32_t *seen;
};
static struct side out, in;
// Of whose group a vertex is, and the next of that group, plus one.
static uint32_t *leader, *next, *stack;

static void *allocate(size_t number, size_t size) {
  void *memory = calloc(number, size);
  if (memory == NULL) bench_die("calloc");
  return memory;
}

static struct side make_side(const uint32_t *from, const uint32_t *to) {
  struct side side = {allocate(count + 2, 4), allocate(edges + 1, 4), allocate(count, 4)};
  for (uint32_t e = 0; e < edges; e++) side.first[from[e] + 2]++;
  for (uint32_t v = 1; v <= count; v++) side.first[v + 1] += side.first[v];
  for (uint32_t e = 0; e < edges; e++) side.ends[side.first[from[e] + 1]++] = to[e];
  return side;
}

// Marks all groups on one side of a vertex as seen by `mark`.
static void see(struct side *side, uint32_t vertex, uint32_t mark) {
  uint32_t depth = 0;
  stack[depth++] = vertex;
  while (depth > 0) {
    uint32_t from = stack[--depth];
    for (uint32_t e = side->first[from]; e < side->first[from + 1]; e++) {
      uint32_t group = leader[side->ends[e]];
      if (side->seen[group] == mark) continue;
      side->seen[group] = mark;
      for (uint32_t member = group + 1; member != 0; member = next[member - 1]) stack[depth++] = member - 1;
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: group_loop FILE\n");
    return 2;
  }
  FILE *file = fopen(argv[1], "re");
  if (file == NULL) bench_die(argv[1]);
  uint32_t room = 1000000, *from = allocate(room, 4), *to = allocate(room, 4);
  int good = fscanf(file, "%u", &count) == 1;
  while (good && edges < room && fscanf(file, "%u %u", &from[edges], &to[edges]) == 2) {
    good = from[edges] < count && to[edges] < count;
    edges++;
  }
  if (!good || !feof(file)) {
    fprintf(stderr, "%s: not a graph\n", argv[1]);
    return 1;
  }
  fclose(file);

  uint64_t begin = bench_now_ns();
  out = make_side(from, to);
  in = make_side(to, from);
  leader = allocate(count, 4);
  next = allocate(count, 4);
  stack = allocate(count + 1, 4);
  for (uint32_t v = 0; v < count; v++) leader[v] = v;
  for (uint32_t v = count; v-- > 0;) {
    if (leader[v] != v || next[v] != 0) continue;
    uint32_t mark = v + 1, last = v;
    see(&out, v, mark);
    see(&in, v, mark);
    for (uint32_t m = count; m-- > 0;) {
      if (m == v || leader[m] != m || next[m] != 0 || out.seen[m] == mark || in.seen[m] == mark) continue;
      leader[m] = v;
      next[last] = m + 1;
      last = m;
      see(&out, m, mark);
      see(&in, m, mark);
    }
  }
  double seconds = (double)(bench_now_ns() - begin) / 1e9;

  uint32_t *lowest = allocate(count, 4);
  for (uint32_t v = count; v-- > 0;) lowest[leader[v]] = v;
  printf("%.9f\n", seconds);
  for (uint32_t v = 0; v < count; v++) printf("%u\n", lowest[leader[v]]);
  return 0;
}
