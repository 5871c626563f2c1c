// SPDX-License-Identifier: Apache-2.0
// edit_loop YAML DIR: keeps files in DIR as the graph of files in YAML says, until SIGINT or SIGTERM: reads it with libyaml's parser
// each time it is replaced and writes (temporary file, rename) those that differ from the graph before. Of a path only the name counts.
// Prints "ready" after the first time and "taken" after each other. The baseline for edits of a graph: no kinds, no edges, no checks.
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <yaml.h>

#include "bench.h"

enum { FILES_MAX = 10000 };

static int dir = -1;
static char *contents[FILES_MAX];

static void keep(const char *path, long index, const char *content) {
  if (contents[index] != NULL && strcmp(contents[index], content) == 0) return;
  free(contents[index]);
  contents[index] = strdup(content);
  const char *slash = strrchr(path, '/');
  char temporary[NAME_MAX + 1];
  if (contents[index] == NULL || slash == NULL) bench_die(path);
  snprintf(temporary, sizeof temporary, ".%s.new", slash + 1);
  int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) bench_die(temporary);
  size_t length = strlen(content);
  if (write(fd, content, length) != (ssize_t)length) bench_die(temporary);
  close(fd);
  if (renameat(dir, temporary, dir, slash + 1) != 0) bench_die(path);
}

// No value in these graphs reads like a key.
static void take(const char *graph) {
  FILE *file = fopen(graph, "re");
  yaml_parser_t parser;
  if (file == NULL || !yaml_parser_initialize(&parser)) bench_die(graph);
  yaml_parser_set_input_file(&parser, file);
  enum { OTHER, PATH, CONTENT } value = OTHER;
  char path[PATH_MAX] = "";
  long index = 0;
  for (int done = 0; !done;) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) {
      fprintf(stderr, "%s: %s\n", graph, parser.problem);
      exit(1);
    }
    if (event.type == YAML_SCALAR_EVENT) {
      const char *scalar = (const char *)event.data.scalar.value;
      if (value == PATH) snprintf(path, sizeof path, "%s", scalar);
      if (value == CONTENT && index < FILES_MAX) keep(path, index++, scalar);
      value = strcmp(scalar, "path") == 0 ? PATH : strcmp(scalar, "content") == 0 ? CONTENT : OTHER;
    }
    done = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  fclose(file);
}

int main(int argc, char **argv) {
  char *slash = argc == 3 ? strrchr(argv[1], '/') : NULL;
  if (slash == NULL) {
    fprintf(stderr, "usage: edit_loop /PATH/TO/YAML DIR\n");
    return 2;
  }
  dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) bench_die(argv[2]);
  int fd = inotify_init1(IN_CLOEXEC);
  *slash = '\0';
  if (fd < 0 || inotify_add_watch(fd, argv[1], IN_MOVED_TO) < 0) bench_die(argv[1]);
  *slash = '/';
  take(argv[1]);
  printf("ready\n");
  fflush(stdout);

  _Alignas(struct inotify_event) static char buffer[65536];
  for (;;) {
    ssize_t got = read(fd, buffer, sizeof buffer);
    if (got <= 0) bench_die("read");
    int replaced = 0;
    for (char *at = buffer; at < buffer + got;) {
      const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
      replaced |= event->len > 0 && strcmp(event->name, slash + 1) == 0;
      at += sizeof *event + event->len;
    }
    if (!replaced) continue;
    take(argv[1]);
    printf("taken\n");
    fflush(stdout);
  }
}
