/* SPDX-License-Identifier: Apache-2.0
 * A kind whose graphs are prepared until there is a file: the one its resource is named after. */
#include <mgmt/plugin.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const mgmt_host *host;
    mgmt_call *call;
    mgmt_source *timer;
    char path[4096];
} slow;

static mgmt_status open_kind(const mgmt_kind *kind, void *plugin, const mgmt_host *host, void **state, mgmt_error *error) {
    (void)kind, (void)plugin, (void)error;
    slow *it = calloc(1, sizeof *it);
    if (it == NULL) return MGMT_FAILED;
    it->host = host;
    *state = it;
    return MGMT_OK;
}

static void close_kind(void *kind) {
    slow *it = kind;
    if (it->timer != NULL) it->host->source_delete(it->timer);
    free(it);
}

static mgmt_status create(void *kind, mgmt_res *res, mgmt_str name, const mgmt_value *params, void **self, mgmt_error *error) {
    (void)res, (void)params, (void)error;
    slow *it = kind;
    if (name.len >= sizeof it->path) return MGMT_FAILED;
    memcpy(it->path, name.ptr, name.len);
    it->path[name.len] = '\0';
    *self = kind;
    return MGMT_OK;
}

static void destroy(void *self) { (void)self; }

static mgmt_status check(void *self, mgmt_call *call, uint32_t flags, mgmt_error *error) {
    (void)self, (void)call, (void)flags, (void)error;
    return MGMT_OK;
}

static void look(void *user) {
    slow *it = user;
    if (it->call == NULL || access(it->path, F_OK) != 0) return;
    mgmt_call *call = it->call;
    it->call = NULL;
    it->host->complete(call, MGMT_OK);
}

static mgmt_status prepare(void *kind, mgmt_call *call, uint32_t flags, mgmt_error *error) {
    (void)flags, (void)error;
    slow *it = kind;
    const mgmt_str words = MGMT_STR("preparing");
    it->host->log(it->host, NULL, MGMT_LOG_INFO, words);
    it->call = call;
    if (it->timer == NULL) it->timer = it->host->timer_add(it->host, 1, 5, look, it);
    return MGMT_PENDING;
}

static const mgmt_kind kind = {
    .size = sizeof(mgmt_kind), .name = MGMT_STR("slow"), .doc = MGMT_STR("Is prepared until a file is there."),
    .open = open_kind, .close = close_kind, .create = create, .destroy = destroy, .check_apply = check, .prepare = prepare};
static const mgmt_kind *const kinds[] = {&kind};
static const mgmt_plugin plugin = {
    .abi_major = MGMT_ABI_MAJOR, .size = sizeof(mgmt_plugin), .name = MGMT_STR("slow"), .version = MGMT_STR("1"),
    .license = MGMT_STR("Apache-2.0"), .kinds = kinds, .kind_count = 1};

MGMT_EXPORT const mgmt_plugin *mgmt_plugin_v1(void) { return &plugin; }
