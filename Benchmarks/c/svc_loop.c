// SPDX-License-Identifier: Apache-2.0
// svc_loop UNIT: starts UNIT again whenever systemd says that it stopped, until SIGINT or SIGTERM. Prints "ready" once it listens
// and the unit is to run. The baseline for the repair of a service: one match, one call, no questions.
#include "systemd.h"

static const char *unit;

static int started(sd_bus_message *reply, void *user, sd_bus_error *error) {
  (void)user, (void)error;
  const sd_bus_error *refused = sd_bus_message_get_error(reply);
  if (refused == NULL) return 0;
  fprintf(stderr, "%s: %s\n", unit, refused->message);
  exit(1);
}

static int changed(sd_bus_message *signal, void *user, sd_bus_error *error) {
  (void)user, (void)error;
  const char *state = active_state(signal);
  if (state == NULL || (strcmp(state, "inactive") != 0 && strcmp(state, "failed") != 0)) return 0;
  check(sd_bus_call_method_async(sd_bus_message_get_bus(signal), NULL, systemd, manager, manager_interface, "StartUnit", started,
                                 NULL, "ss", unit, "fail"),
        "StartUnit");
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: svc_loop UNIT\n");
    return 2;
  }
  unit = argv[1];
  char *path = NULL;
  sd_bus *bus = listen_to(unit, changed, &path);
  sd_bus_error error = SD_BUS_ERROR_NULL;
  check(sd_bus_call_method(bus, systemd, manager, manager_interface, "StartUnit", &error, NULL, "ss", unit, "fail"), "StartUnit");
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    int result = sd_bus_process(bus, NULL);
    check(result, "sd_bus_process");
    if (result == 0) check(sd_bus_wait(bus, UINT64_MAX), "sd_bus_wait");
  }
}
