// SPDX-License-Identifier: Apache-2.0
// svc_loop UNIT: starts UNIT again whenever systemd says that it stopped, until SIGINT or SIGTERM. Prints "ready" once it listens
// and the unit is to run. The baseline for the repair of a service: one match, one call, no questions.
#include <systemd/sd-bus.h>

#include "bench.h"

static const char *const systemd = "org.freedesktop.systemd1", *const manager = "/org/freedesktop/systemd1";
static const char *unit;

static void check(int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s\n", what, strerror(-result));
  exit(1);
}

static int started(sd_bus_message *reply, void *user, sd_bus_error *error) {
  (void)user, (void)error;
  const sd_bus_error *refused = sd_bus_message_get_error(reply);
  if (refused == NULL) return 0;
  fprintf(stderr, "%s: %s\n", unit, refused->message);
  exit(1);
}

static int changed(sd_bus_message *signal, void *user, sd_bus_error *error) {
  (void)user, (void)error;
  check(sd_bus_message_skip(signal, "s"), "signal");
  check(sd_bus_message_enter_container(signal, 'a', "{sv}"), "signal");
  while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
    const char *name = NULL, *state = NULL;
    check(sd_bus_message_read(signal, "s", &name), "signal");
    if (strcmp(name, "ActiveState") == 0) {
      check(sd_bus_message_read(signal, "v", "s", &state), "signal");
      if (strcmp(state, "inactive") != 0 && strcmp(state, "failed") != 0) return 0;
      sd_bus *bus = sd_bus_message_get_bus(signal);
      check(sd_bus_call_method_async(bus, NULL, systemd, manager, "org.freedesktop.systemd1.Manager", "StartUnit", started, NULL,
                                     "ss", unit, "fail"),
            "StartUnit");
      return 0;
    }
    check(sd_bus_message_skip(signal, "v"), "signal");
    check(sd_bus_message_exit_container(signal), "signal");
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: svc_loop UNIT\n");
    return 2;
  }
  unit = argv[1];
  char *path = NULL, rule[512];
  sd_bus *bus = NULL;
  check(sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path), unit);
  snprintf(rule, sizeof rule,
           "type='signal',sender='%s',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path='%s',"
           "arg0='org.freedesktop.systemd1.Unit'",
           systemd, path);
  check(sd_bus_open_system(&bus), "the system bus");
  check(sd_bus_add_match(bus, NULL, rule, changed, NULL), rule);
  sd_bus_error error = SD_BUS_ERROR_NULL;
  check(sd_bus_call_method(bus, systemd, manager, "org.freedesktop.systemd1.Manager", "Subscribe", &error, NULL, ""), "Subscribe");
  check(sd_bus_call_method(bus, systemd, manager, "org.freedesktop.systemd1.Manager", "StartUnit", &error, NULL, "ss", unit, "fail"),
        "StartUnit");
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    int result = sd_bus_process(bus, NULL);
    check(result, "sd_bus_process");
    if (result == 0) check(sd_bus_wait(bus, UINT64_MAX), "sd_bus_wait");
  }
}
