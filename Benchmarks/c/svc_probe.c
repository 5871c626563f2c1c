// SPDX-License-Identifier: Apache-2.0
// svc_probe UNIT ROUNDS: stops a unit somebody keeps running, as `systemctl stop` does, and measures how soon it runs again.
// Prints two lines of nanoseconds for each round: from before StopUnit is sent until the signal that the unit is active has come;
// and by systemd's own clock from "inactive" to "active". Between rounds it waits until nothing was heard of the unit for 20 ms.
// A repair that takes longer than 10 s ends the program with an error.
#include "systemd.h"

static char *path;
// What was heard since the last stop.
static int was_down, is_up;
static uint64_t up_at;

static int changed(sd_bus_message *signal, void *user, sd_bus_error *error) {
  (void)user, (void)error;
  const char *state = active_state(signal);
  if (state == NULL) return 0;
  if (strcmp(state, "inactive") == 0) was_down = 1;
  if (strcmp(state, "active") == 0 && was_down && !is_up) is_up = 1, up_at = bench_now_ns();
  return 0;
}

// Handles messages until `done` is set, or none comes for `quiet` ms (if that is not 0), at most 10 s.
static int listen_for(sd_bus *bus, const int *done, uint64_t quiet) {
  uint64_t start = bench_now_ns(), last = start;
  while (!*done) {
    int result = sd_bus_process(bus, NULL);
    check(result, "sd_bus_process");
    uint64_t now = bench_now_ns();
    if (now - start > 10000000000u) return 0;
    if (result > 0) {
      last = now;
      continue;
    }
    if (quiet > 0 && now - last >= quiet * 1000000u) return 1;
    check(sd_bus_wait(bus, quiet > 0 ? quiet * 1000 : 1000000), "sd_bus_wait");
  }
  return 1;
}

static uint64_t stamp(sd_bus *bus, const char *name) {
  uint64_t value = 0;
  sd_bus_error error = SD_BUS_ERROR_NULL;
  check(sd_bus_get_property_trivial(bus, systemd, path, "org.freedesktop.systemd1.Unit", name, &error, 't', &value), name);
  return value;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: svc_probe UNIT ROUNDS\n");
    return 2;
  }
  const char *unit = argv[1];
  long rounds = bench_number(argv[2], 1, 1000000);
  sd_bus *bus = listen_to(unit, changed, &path);

  for (long i = 0; i < rounds; i++) {
    const int never = 0;
    if (!listen_for(bus, &never, 110)) {
      fprintf(stderr, "%s: not at rest after 10 s\n", unit);
      return 1;
    }
    was_down = is_up = 0;
    uint64_t start = bench_now_ns();
    check(sd_bus_call_method_async(bus, NULL, systemd, manager, manager_interface, "StopUnit", NULL, NULL, "ss",
                                   unit, "replace"),
          "StopUnit");
    if (!listen_for(bus, &is_up, 0)) {
      fprintf(stderr, "%s: does not run 10 s after it was stopped (round %ld)\n", unit, i + 1);
      return 1;
    }
    uint64_t down = stamp(bus, "InactiveEnterTimestampMonotonic"), up = stamp(bus, "ActiveEnterTimestampMonotonic");
    if (down == 0 || up < down) {
      fprintf(stderr, "%s: systemd forgot when it stopped, or it was stopped again (round %ld)\n", unit, i + 1);
      return 1;
    }
    printf("%llu\n%llu\n", (unsigned long long)(up_at - start), (unsigned long long)(up - down) * 1000u);
  }
  return 0;
}
