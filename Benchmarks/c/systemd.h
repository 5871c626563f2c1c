// SPDX-License-Identifier: Apache-2.0
// What the programs that talk with systemd share.
#ifndef BENCH_SYSTEMD_H
#define BENCH_SYSTEMD_H

#include <systemd/sd-bus.h>

#include "bench.h"

static const char *const systemd = "org.freedesktop.systemd1", *const manager = "/org/freedesktop/systemd1";
static const char *const manager_interface = "org.freedesktop.systemd1.Manager";

static void check(int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s\n", what, strerror(-result));
  exit(1);
}

// The ActiveState that a PropertiesChanged signal of a unit tells; NULL: it tells of something else.
static const char *active_state(sd_bus_message *signal) {
  check(sd_bus_message_skip(signal, "s"), "signal");
  check(sd_bus_message_enter_container(signal, 'a', "{sv}"), "signal");
  while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
    const char *name = NULL, *state = NULL;
    check(sd_bus_message_read(signal, "s", &name), "signal");
    if (strcmp(name, "ActiveState") == 0) {
      check(sd_bus_message_read(signal, "v", "s", &state), "signal");
      return state;
    }
    check(sd_bus_message_skip(signal, "v"), "signal");
    check(sd_bus_message_exit_container(signal), "signal");
  }
  return NULL;
}

// A connection on which `changed` gets the signals of one unit. `path`: the unit's object.
static sd_bus *listen_to(const char *unit, sd_bus_message_handler_t changed, char **path) {
  char rule[512];
  sd_bus *bus = NULL;
  sd_bus_error error = SD_BUS_ERROR_NULL;
  check(sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, path), unit);
  snprintf(rule, sizeof rule,
           "type='signal',sender='%s',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path='%s',"
           "arg0='org.freedesktop.systemd1.Unit'",
           systemd, *path);
  check(sd_bus_open_system(&bus), "the system bus");
  check(sd_bus_add_match(bus, NULL, rule, changed, NULL), rule);
  check(sd_bus_call_method(bus, systemd, manager, manager_interface, "Subscribe", &error, NULL, ""), "Subscribe");
  return bus;
}

#endif
