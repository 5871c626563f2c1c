/* SPDX-License-Identifier: Apache-2.0
 * A kind whose checks take their time on a worker, and fall if what they work on is taken away meanwhile. */
#include <mgmt/plugin.h>

#include <stdlib.h>
#include <time.h>

enum { ALIVE = 0x600d, GONE = 0xdead };

typedef struct {
    volatile int state;
} busy;

static mgmt_status create(void *kind, mgmt_res *res, mgmt_str name, const mgmt_value *params, void **self, mgmt_error *error) {
    (void)kind, (void)res, (void)name, (void)params, (void)error;
    busy *it = malloc(sizeof *it);
    if (it == NULL) return MGMT_FAILED;
    it->state = ALIVE;
    *self = it;
    return MGMT_OK;
}

/* Not freed: the check must be able to see that it is gone. */
static void destroy(void *self) { ((busy *)self)->state = GONE; }

static mgmt_status check(void *self, mgmt_call *call, uint32_t flags, mgmt_error *error) {
    (void)call, (void)flags, (void)error;
    const struct timespec moment = {0, 1000000};
    for (int i = 0; i < 60000; i++) { /* a minute, or until the process ends */
        nanosleep(&moment, NULL);
        if (((busy *)self)->state != ALIVE) abort();
    }
    return MGMT_OK;
}

static const mgmt_kind kind = {
    .size = sizeof(mgmt_kind), .name = MGMT_STR("busy"), .doc = MGMT_STR("Is checked for a minute."),
    .create = create, .destroy = destroy, .check_apply = check};
static const mgmt_kind *const kinds[] = {&kind};
static const mgmt_plugin plugin = {
    .abi_major = MGMT_ABI_MAJOR, .size = sizeof(mgmt_plugin), .name = MGMT_STR("busy"), .version = MGMT_STR("1"),
    .license = MGMT_STR("Apache-2.0"), .kinds = kinds, .kind_count = 1};

MGMT_EXPORT const mgmt_plugin *mgmt_plugin_v1(void) { return &plugin; }
