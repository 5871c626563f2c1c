/* SPDX-License-Identifier: Apache-2.0
 *
 * vault.c - a plugin for tests of what is shown and sent. Its kind `vault` keeps `secret`, which nobody may see, in the file `path`,
 * and sends a value of any type: `sends` is "number:42", "text:words" or anything else for none.
 */
#define _GNU_SOURCE
#include <mgmt/plugin.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH, SECRET, SENDS, PARAM_COUNT };
enum { SIZE = 256 };

struct vault {
    char path[SIZE], secret[SIZE], sends[SIZE];
    mgmt_res *res;
};

static const mgmt_host *host;

static mgmt_str str(const char *text) {
    mgmt_str result = {text, strlen(text)};
    return result;
}

static mgmt_value text(const char *content, uint32_t flags) {
    mgmt_value value = {MGMT_STRING, flags, {.s = str(content)}};
    return value;
}

static mgmt_status init(const mgmt_host *given, void **plugin, mgmt_error *error) {
    (void)error;
    host = given;
    *plugin = NULL;
    return MGMT_OK;
}

static void copy(char *to, const mgmt_value *from) {
    size_t length = from->type == MGMT_STRING ? from->u.s.len : 0;
    if (length >= SIZE) length = SIZE - 1;
    if (length > 0) memcpy(to, from->u.s.ptr, length);
    to[length] = '\0';
}

static mgmt_status create(void *kind, mgmt_res *res, mgmt_str name, const mgmt_value *values, void **self, mgmt_error *error) {
    (void)kind;
    (void)name;
    (void)error;
    struct vault *vault = calloc(1, sizeof *vault);
    if (vault == NULL) return MGMT_FAILED;
    vault->res = res;
    copy(vault->path, &values[PATH]);
    copy(vault->secret, &values[SECRET]);
    copy(vault->sends, &values[SENDS]);
    *self = vault;
    return MGMT_OK;
}

static void destroy(void *self) { free(self); }

static mgmt_status watch(void *self, mgmt_error *error) {
    struct vault *vault = self;
    (void)error;
    host->ready(vault->res);
    return MGMT_OK;
}

static void unwatch(void *self) { (void)self; }

static mgmt_status fail(mgmt_error *error) {
    host->fail(error, 0, str("path"), str("the vault cannot be written"), str("name a file that can"));
    return MGMT_FAILED;
}

static void send_value(const struct vault *vault, mgmt_call *call) {
    mgmt_value value = {MGMT_UNSET, 0, {.i = 0}};
    if (strncmp(vault->sends, "number:", 7) == 0) {
        value.type = MGMT_INT;
        value.u.i = atoi(vault->sends + 7);
    } else if (strncmp(vault->sends, "text:", 5) == 0) {
        value = text(vault->sends + 5, 0);
    }
    mgmt_value all = {MGMT_STRUCT, 0, {.v = {&value, 1}}};
    host->send(call, &all);
}

static mgmt_status check_apply(void *self, mgmt_call *call, uint32_t flags, mgmt_error *error) {
    const struct vault *vault = self;
    send_value(vault, call);
    char found[SIZE] = "";
    int file = open(vault->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file >= 0) {
        ssize_t count = read(file, found, SIZE - 1);
        found[count > 0 ? count : 0] = '\0';
        close(file);
    }
    if (strcmp(found, vault->secret) == 0) return MGMT_OK;
    mgmt_value was = text(found, 0), will = text(vault->secret, 0);
    host->change(call, str("secret"), file < 0 ? NULL : &was, &will);
    /* No parameter, but marked as a secret itself, also inside of other values. */
    mgmt_value marked = text(vault->secret, MGMT_VALUE_SECRET);
    mgmt_value list = {MGMT_LIST, 0, {.v = {&marked, 1}}};
    host->change(call, str("fingerprint"), NULL, &marked);
    host->change(call, str("fingerprints"), NULL, &list);
    if (!(flags & MGMT_CHECK_APPLY)) return MGMT_DIFFERS;
    file = open(vault->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return fail(error);
    ssize_t length = (ssize_t)strlen(vault->secret), count = write(file, vault->secret, (size_t)length);
    close(file);
    return count == length ? MGMT_CHANGED : fail(error);
}

static const mgmt_value empty = {MGMT_STRING, 0, {.s = {NULL, 0}}};
static const mgmt_param path = {
    .size = sizeof(mgmt_param), .flags = MGMT_PARAM_REQUIRED, .name = MGMT_STR("path"), .type = MGMT_STR("str"),
    .doc = MGMT_STR("The file.")};
static const mgmt_param secret = {
    .size = sizeof(mgmt_param), .flags = MGMT_PARAM_SECRET, .name = MGMT_STR("secret"), .type = MGMT_STR("str"),
    .doc = MGMT_STR("What is in it."), .def = &empty};
static const mgmt_param sends = {
    .size = sizeof(mgmt_param), .name = MGMT_STR("sends"), .type = MGMT_STR("str"), .doc = MGMT_STR("What is sent."),
    .def = &empty};
static const mgmt_param value = {.size = sizeof(mgmt_param), .name = MGMT_STR("value"), .type = MGMT_STR("any"),
                                 .doc = MGMT_STR("What `sends` says.")};
static const mgmt_param *const params[PARAM_COUNT] = {&path, &secret, &sends};
static const mgmt_param *const sent[] = {&value};
static const mgmt_kind kind = {
    .size = sizeof(mgmt_kind),
    .name = MGMT_STR("vault"),
    .doc = MGMT_STR("Keeps a secret."),
    .params = params,
    .param_count = PARAM_COUNT,
    .sends = sent,
    .send_count = 1,
    .create = create,
    .destroy = destroy,
    .watch = watch,
    .unwatch = unwatch,
    .check_apply = check_apply,
};
static const mgmt_kind *const kinds[] = {&kind};
static const mgmt_plugin plugin = {
    .abi_major = MGMT_ABI_MAJOR,
    .abi_minor = 0,
    .size = sizeof(mgmt_plugin),
    .name = MGMT_STR("vault"),
    .version = MGMT_STR("1"),
    .license = MGMT_STR("Apache-2.0"),
    .doc = MGMT_STR("For tests."),
    .init = init,
    .kinds = kinds,
    .kind_count = 1,
};

const mgmt_plugin *mgmt_plugin_v1(void) { return &plugin; }
