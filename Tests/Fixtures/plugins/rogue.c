/* SPDX-License-Identifier: Apache-2.0
 *
 * rogue.c - a plugin that breaks the rules, for tests. Its kind `rogue` has one parameter, `how`, that names the rule to break;
 * compiled with one of these it is wrong before it runs:
 *
 *   ROGUE_MAJOR=N ROGUE_MINOR=N  asks for another version of the ABI       ROGUE_NO_SYMBOL  exports nothing
 *   ROGUE_SCAN_CRASH             crashes when it is asked what it is       ROGUE_SCAN_HANG  does not answer
 *   ROGUE_KIND="name"            offers its kind under this name           ROGUE_VERSION="1" its version
 */
#define _GNU_SOURCE
#include <mgmt/plugin.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef ROGUE_MAJOR
#define ROGUE_MAJOR MGMT_ABI_MAJOR
#endif
#ifndef ROGUE_MINOR
#define ROGUE_MINOR 0
#endif
#ifndef ROGUE_KIND
#define ROGUE_KIND "rogue"
#endif
#ifndef ROGUE_VERSION
#define ROGUE_VERSION "1"
#endif

static const mgmt_host *host;

struct rogue {
    mgmt_res *res;
    char how[32];
    mgmt_source *source;
};

static int is(const struct rogue *rogue, const char *how) { return strcmp(rogue->how, how) == 0; }

static mgmt_str str(const char *text) {
    mgmt_str result = {text, strlen(text)};
    return result;
}

static mgmt_status init(const mgmt_host *given, void **plugin, mgmt_error *error) {
    (void)error;
    host = given;
    *plugin = NULL;
    return MGMT_OK;
}

static mgmt_status create(void *kind, mgmt_res *res, mgmt_str name, const mgmt_value *values, void **self, mgmt_error *error) {
    (void)kind;
    (void)name;
    (void)error;
    struct rogue *rogue = calloc(1, sizeof *rogue);
    if (rogue == NULL) return MGMT_FAILED;
    rogue->res = res;
    mgmt_str how = values[0].u.s;
    if (how.len >= sizeof rogue->how) how.len = sizeof rogue->how - 1;
    if (how.len > 0) memcpy(rogue->how, how.ptr, how.len);
    if (is(rogue, "create-silent")) {
        free(rogue);
        return MGMT_FAILED;
    }
    *self = rogue;
    return MGMT_OK;
}

static void destroy(void *self) {
    struct rogue *rogue = self;
    if (is(rogue, "event-destroy")) host->event(rogue->res);
    free(rogue);
}

static void tick(void *user) {
    const struct rogue *rogue = user;
    if (is(rogue, "exit-timer")) exit(0);
    usleep(20000);
}

static mgmt_status watch(void *self, mgmt_error *error) {
    struct rogue *rogue = self;
    (void)error;
    if (is(rogue, "watch-silent")) return MGMT_FAILED;
    if (is(rogue, "timer-slow") || is(rogue, "exit-timer")) rogue->source = host->timer_add(host, 1, 20, tick, rogue);
    if (is(rogue, "leave")) (void)host->timer_add(host, 3600000, 0, tick, rogue);
    if (!is(rogue, "exit-timer")) host->ready(rogue->res);
    if (is(rogue, "ready-twice")) host->ready(rogue->res);
    return MGMT_OK;
}

static void unwatch(void *self) {
    struct rogue *rogue = self;
    if (rogue->source != NULL) host->source_delete(rogue->source);
    rogue->source = NULL;
    if (is(rogue, "event-late")) host->event(rogue->res);
}

static void *complete_twice(void *call) {
    host->complete(call, MGMT_OK);
    host->complete(call, MGMT_CHANGED);
    return NULL;
}

static void *complete_once(void *call) {
    host->complete(call, MGMT_OK);
    return NULL;
}

static void *exit_in_thread(void *call) {
    (void)call;
    exit(0);
}

static void exit_again(void) { exit(0); }

/* A value in a list in a list ... */
static mgmt_value nested(mgmt_value *room, int depth) {
    for (int i = 0; i < depth; i++) {
        mgmt_value list = {MGMT_LIST, 0, {.v = {i == 0 ? NULL : &room[i - 1], i == 0 ? 0 : 1}}};
        room[i] = list;
    }
    return room[depth - 1];
}

static mgmt_status strange(const struct rogue *rogue, mgmt_call *call) {
    mgmt_value room[40];
    mgmt_value value = {99, 0, {.i = 1}};
    if (is(rogue, "strange-depth")) value = nested(room, 40);
    if (is(rogue, "strange-text")) value = (mgmt_value){MGMT_STRING, 0, {.s = {NULL, 3}}};
    if (is(rogue, "strange-list")) value = (mgmt_value){MGMT_LIST, 0, {.v = {NULL, 3}}};
    host->change(call, str("field"), &value, &value);
    return MGMT_OK;
}

static void print(const struct rogue *rogue) {
    if (is(rogue, "print-many")) {
        for (int i = 0; i < 100000; i++) printf("line %d\n", i);
    }
    if (is(rogue, "print-raw")) (void)!write(1, "no end of line", 14);
    if (is(rogue, "print-part")) printf("held back");
    if (is(rogue, "print-exit")) printf("last words");
    if (is(rogue, "print")) printf("{\"event\":\"end\",\"exit\":0}\n\033[31mred\n");
}

static mgmt_status thread(void *(*body)(void *), mgmt_call *call) {
    pthread_t made;
    if (pthread_create(&made, NULL, body, call) != 0) return MGMT_FAILED;
    pthread_detach(made);
    return MGMT_PENDING;
}

static mgmt_status check_apply(void *self, mgmt_call *call, uint32_t flags, mgmt_error *error) {
    struct rogue *rogue = self;
    (void)error;
    if (is(rogue, "thread-timer")) {
        if (host->timer_add(host, 1, 0, tick, rogue) != NULL) abort();
    } else if (is(rogue, "thread-fd")) {
        if (host->fd_add(host, 0, MGMT_FD_READ, NULL, rogue) != NULL) abort();
    } else if (is(rogue, "complete-twice")) {
        return thread(complete_twice, call);
    } else if (is(rogue, "complete-once")) {
        return thread(complete_once, call);
    } else if (is(rogue, "complete-early-twice")) {
        host->complete(call, MGMT_OK);
        host->complete(call, MGMT_OK);
        return MGMT_PENDING;
    } else if (is(rogue, "complete-and-return")) {
        host->complete(call, MGMT_OK);
        return MGMT_OK;
    } else if (is(rogue, "complete-nothing")) {
        host->complete((mgmt_call *)(uintptr_t)0x7fffffff, MGMT_OK);
        host->progress((mgmt_call *)(uintptr_t)0x7fffffff, 1, str("x"));
        host->source_delete((mgmt_source *)(uintptr_t)0x7fffffff);
        host->event((mgmt_res *)(uintptr_t)0x7fffffff);
        host->ready(NULL);
    } else if (is(rogue, "never") || is(rogue, "until-cancelled")) {
        return MGMT_PENDING;
    } else if (is(rogue, "status")) {
        return 99;
    } else if (is(rogue, "silent")) {
        return MGMT_FAILED;
    } else if (is(rogue, "changed-in-check")) {
        return MGMT_CHANGED;
    } else if (is(rogue, "differs-in-apply")) {
        return MGMT_DIFFERS;
    } else if (is(rogue, "cancelled")) {
        return MGMT_CANCELLED;
    } else if (is(rogue, "exit") || is(rogue, "print-exit")) {
        print(rogue);
        exit(0);
    } else if (is(rogue, "quick-exit")) {
        quick_exit(0);
    } else if (is(rogue, "exit-thread")) {
        return thread(exit_in_thread, call);
    } else if (is(rogue, "exit-at-exit")) {
        atexit(exit_again);
        return MGMT_FAILED;
    } else if (is(rogue, "exit-forked")) {
        pid_t child = fork();
        if (child == 0) exit(0);
        (void)waitpid(child, NULL, 0);
    } else if (strncmp(rogue->how, "print", 5) == 0) {
        print(rogue);
    } else if (strncmp(rogue->how, "strange", 7) == 0) {
        return strange(rogue, call);
    } else if (is(rogue, "garbage")) {
        static const char bytes[] = "\xff\xfe\x1b[31m\nnext";
        mgmt_str text = {bytes, sizeof bytes - 1};
        mgmt_value list = {99, 0, {.i = 1}};
        host->log(host, rogue->res, 77, text);
        host->change(call, text, &list, &list);
        host->progress(call, 4000000000u, text);
    }
    (void)flags;
    return MGMT_OK;
}

static void cancel(void *self, mgmt_call *call) {
    struct rogue *rogue = self;
    if (is(rogue, "until-cancelled")) host->complete(call, MGMT_CANCELLED);
}

static const mgmt_value ok = {MGMT_STRING, 0, {.s = MGMT_STR("ok")}};
static const mgmt_param how = {
    .size = sizeof(mgmt_param), .name = MGMT_STR("how"), .type = MGMT_STR("str"), .doc = MGMT_STR("What to do wrong."), .def = &ok};
static const mgmt_param *const params[] = {&how};
static const mgmt_kind kind = {
    .size = sizeof(mgmt_kind),
    .name = MGMT_STR(ROGUE_KIND),
    .doc = MGMT_STR("Breaks rules."),
    .params = params,
    .param_count = 1,
    .create = create,
    .destroy = destroy,
    .watch = watch,
    .unwatch = unwatch,
    .check_apply = check_apply,
    .cancel = cancel,
};
static const mgmt_kind *const kinds[] = {&kind};
static const mgmt_plugin plugin = {
    .abi_major = ROGUE_MAJOR,
    .abi_minor = ROGUE_MINOR,
    .size = sizeof(mgmt_plugin),
    .name = MGMT_STR("rogue"),
    .version = MGMT_STR(ROGUE_VERSION),
    .license = MGMT_STR("Apache-2.0"),
    .doc = MGMT_STR("For tests."),
    .init = init,
    .kinds = kinds,
    .kind_count = 1,
};

#ifdef ROGUE_NO_SYMBOL
MGMT_EXPORT const mgmt_plugin *rogue(void);
const mgmt_plugin *rogue(void) { return &plugin; }
#else
const mgmt_plugin *mgmt_plugin_v1(void) {
#ifdef ROGUE_SCAN_CRASH
    abort();
#endif
#ifdef ROGUE_SCAN_HANG
    for (;;) pause();
#endif
    return &plugin;
}
#endif
