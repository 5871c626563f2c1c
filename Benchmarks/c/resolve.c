// SPDX-License-Identifier: Apache-2.0
// resolve FILE: asks PackageKit once (CreateTransaction, Resolve) for the packages whose names are in FILE, one a line, waits until it has
// finished, at most 60 s, and prints how many of them are installed. The baseline for a check of packages: one question on one connection.
#include <dbus/dbus.h>

#include "bench.h"

enum { NAMES_MAX = 10000, INSTALLED = 1, ARCHITECTURE = 1 << 18, NEWEST = 1 << 16 };

static const char *const daemon_name = "org.freedesktop.PackageKit", *const transaction = "org.freedesktop.PackageKit.Transaction";
static char *names[NAMES_MAX];
static int count;

static void check(const DBusError *error, const char *what) {
  if (!dbus_error_is_set(error)) return;
  fprintf(stderr, "%s: %s\n", what, error->message);
  exit(1);
}

static void read_names(const char *path) {
  FILE *file = fopen(path, "re");
  char line[256];
  if (file == NULL) bench_die(path);
  while (count < NAMES_MAX && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (line[0] != '\0') names[count++] = strdup(line);
  }
  fclose(file);
}

// How many of the packages in a Package (uss) or Packages (a(uss)) signal are installed.
static int installed(DBusMessageIter *at) {
  dbus_uint32_t info = 0;
  switch (dbus_message_iter_get_arg_type(at)) {
  case DBUS_TYPE_UINT32:
    dbus_message_iter_get_basic(at, &info);
    return (info & 0xffff) == INSTALLED;
  case DBUS_TYPE_ARRAY:
  case DBUS_TYPE_STRUCT: {
    DBusMessageIter inner;
    int found = 0;
    dbus_message_iter_recurse(at, &inner);
    if (dbus_message_iter_get_arg_type(at) == DBUS_TYPE_STRUCT) return installed(&inner);
    for (; dbus_message_iter_get_arg_type(&inner) != DBUS_TYPE_INVALID; dbus_message_iter_next(&inner)) found += installed(&inner);
    return found;
  }
  default: return 0;
  }
}

static void append_strings(DBusMessage *message, const char *const *strings, int length) {
  DBusMessageIter at, array;
  dbus_message_iter_init_append(message, &at);
  dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "s", &array);
  for (int i = 0; i < length; i++) dbus_message_iter_append_basic(&array, DBUS_TYPE_STRING, &strings[i]);
  dbus_message_iter_close_container(&at, &array);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: resolve FILE\n");
    return 2;
  }
  read_names(argv[1]);
  DBusError error;
  dbus_error_init(&error);
  DBusConnection *bus = dbus_bus_get(DBUS_BUS_SYSTEM, &error);
  check(&error, "the system bus");

  DBusMessage *call = dbus_message_new_method_call(daemon_name, "/org/freedesktop/PackageKit", daemon_name, "CreateTransaction");
  DBusMessage *reply = dbus_connection_send_with_reply_and_block(bus, call, 30000, &error);
  check(&error, "CreateTransaction");
  const char *path = NULL;
  dbus_message_get_args(reply, &error, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
  check(&error, "CreateTransaction");

  char rule[512];
  snprintf(rule, sizeof rule, "type='signal',sender='%s',path='%s'", daemon_name, path);
  dbus_bus_add_match(bus, rule, NULL);
  // Without it each package comes in a signal of its own.
  const char *const hints[] = {"background=false", "interactive=false", "supports-plural-signals=true"};
  DBusMessage *hint = dbus_message_new_method_call(daemon_name, path, transaction, "SetHints");
  append_strings(hint, hints, 3);
  dbus_connection_send(bus, hint, NULL);
  DBusMessage *question = dbus_message_new_method_call(daemon_name, path, transaction, "Resolve");
  dbus_uint64_t filter = ARCHITECTURE | NEWEST;
  dbus_message_append_args(question, DBUS_TYPE_UINT64, &filter, DBUS_TYPE_INVALID);
  append_strings(question, (const char *const *)names, count);
  dbus_connection_send(bus, question, NULL);

  int found = 0;
  for (uint64_t start = bench_now_ns(); bench_now_ns() - start < 60000000000u;) {
    if (!dbus_connection_read_write(bus, 1000)) break;
    for (DBusMessage *message; (message = dbus_connection_pop_message(bus)) != NULL; dbus_message_unref(message)) {
      if (dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_ERROR) {
        dbus_set_error_from_message(&error, message);
        check(&error, "PackageKit");
      }
      const char *member = dbus_message_get_member(message);
      DBusMessageIter at;
      if (!dbus_message_has_path(message, path) || member == NULL || !dbus_message_iter_init(message, &at)) continue;
      if (strcmp(member, "Package") == 0 || strcmp(member, "Packages") == 0) found += installed(&at);
      if (strcmp(member, "Finished") != 0) continue;
      printf("%d\n", found);
      return 0;
    }
  }
  fprintf(stderr, "PackageKit has not finished\n");
  return 1;
}
