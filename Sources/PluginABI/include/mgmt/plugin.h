/* SPDX-License-Identifier: Apache-2.0
 *
 * mgmt/plugin.h - the one header a resource plugin is written against. ABI version 1.0.
 *
 * A plugin is a shared object that exports one function, mgmt_plugin_v1, which returns static data: the kinds of
 * resources it implements, their parameters, and the functions that watch, check and apply them.
 * docs/writing-plugins.md is the guide; examples/plugins/c is a template that compiles and runs.
 *
 * Words used on every method
 *   [any]      may be called from any thread, also concurrently
 *   [reactor]  the one thread that runs fds, timers and child exits: never block, return within 5 ms
 *   [worker]   a pool thread, may block; per instance never two at a time, never together with [reactor] methods
 *              that change the instance (update, destroy)
 * Ownership    pointers passed in are borrowed until the call returns; the receiver copies what it keeps. Nothing
 *              allocated on one side is freed on the other
 * Strings      UTF-8, pointer and length, no NUL promised; {NULL, 0} is the empty string
 * Flags        low 16 bits: ignore what you do not know; high 16 bits: refuse what you do not know
 * Growth       structs with a `size` field grow at the end only; a field beyond `size` does not exist. NULL function
 *              pointers mean "not supported". An unknown status is a failure, an unknown value type an error
 * Unwinding    no exception, panic or longjmp may cross a call
 *
 * Life cycle the host enforces
 *   load -> init -> per kind: open -> per resource: validate* -> create -> uids / auto_edges -> [group] -> watch ->
 *   ready -> (event -> check_apply)* -> update* -> unwatch -> destroy -> close -> deinit (the library stays mapped)
 */
#ifndef MGMT_PLUGIN_H
#define MGMT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MGMT_ABI_MAJOR 1
#define MGMT_ABI_MINOR 0
#define MGMT_EXPORT __attribute__((visibility("default")))

/* ---- data ------------------------------------------------------------------------------------------------- */

typedef struct mgmt_str {
    const char *ptr;
    size_t len;
} mgmt_str;

/* A string literal as mgmt_str: MGMT_STR("text"). */
#define MGMT_STR(literal) { (literal), sizeof(literal) - 1 }

enum { /* mgmt_value.type */
    MGMT_UNSET = 0,
    MGMT_BOOL = 1,
    MGMT_STRING = 2,
    MGMT_INT = 3,
    MGMT_FLOAT = 4,
    MGMT_LIST = 5,
    MGMT_MAP = 6,
    MGMT_STRUCT = 7
};
enum { /* mgmt_value.flags */
    MGMT_VALUE_SECRET = 1 /* never shown: views print a mask. In what is sent: the parameter that receives it is secret, too */
};

struct mgmt_value;
typedef struct mgmt_values {
    const struct mgmt_value *at;
    size_t count;
} mgmt_values;

/* bool and int: u.i; float: u.f; str: u.s; list: u.v its items; map: u.v key, value, key, value, ...;
 * struct: u.v its fields in the order of the type. */
typedef struct mgmt_value {
    uint32_t type;
    uint32_t flags;
    union {
        int64_t i;
        double f;
        mgmt_str s;
        mgmt_values v;
    } u;
} mgmt_value;

typedef int32_t mgmt_status;
enum {
    MGMT_OK = 0,           /* was already as asked */
    MGMT_CHANGED = 1,      /* made it so (check_apply with APPLY only) */
    MGMT_DIFFERS = 2,      /* is not so (check_apply without APPLY only) */
    MGMT_PENDING = 3,      /* check_apply: host->complete follows, from any thread */
    MGMT_RECREATE = 4,     /* update: destroy me and create anew */
    MGMT_LATER = 5,        /* check_apply with MGMT_CHECK_BRIEF: this may take long, call me on a worker */
    MGMT_FAILED = -1,      /* host->fail said why */
    MGMT_CANCELLED = -2,   /* gave up because the host asked to */
    MGMT_UNSUPPORTED = -3  /* this cannot be done here */
};

enum { /* levels of host->log */
    MGMT_LOG_DEBUG = 0,
    MGMT_LOG_INFO = 1,
    MGMT_LOG_WARNING = 2,
    MGMT_LOG_ERROR = 3
};

enum { /* epoll's numbers, for host->fd_add */
    MGMT_FD_READ = 0x1,
    MGMT_FD_WRITE = 0x4,
    MGMT_FD_ERROR = 0x8,
    MGMT_FD_HANGUP = 0x10
};

typedef struct mgmt_host mgmt_host;
typedef struct mgmt_plugin mgmt_plugin;
typedef struct mgmt_kind mgmt_kind;
typedef struct mgmt_res mgmt_res;       /* host's handle of one resource */
typedef struct mgmt_call mgmt_call;     /* one running check_apply */
typedef struct mgmt_error mgmt_error;   /* where host->fail writes */
typedef struct mgmt_source mgmt_source; /* an fd, a timer or a child the host looks after */
typedef struct mgmt_sink mgmt_sink;     /* where put_uid and put_resource write */

/* ---- the schema of a kind is data --------------------------------------------------------------------------- */

enum { /* mgmt_param.flags */
    MGMT_PARAM_REQUIRED = 1,
    MGMT_PARAM_SECRET = 2, /* masked in every view */
    MGMT_PARAM_NAME = 4,   /* left unset, it takes the resource's name (documentation only; the plugin applies it) */
    /* it says which thing is meant, as the path of a file, and nothing else. Two resources that are one thing (see
     * MGMT_UID_PRIMARY) ask for the same when all their other parameters are equal */
    MGMT_PARAM_IDENTITY = 8
};

typedef struct mgmt_param {
    uint32_t size;
    uint32_t flags;
    mgmt_str name;
    mgmt_str type; /* mcl's syntax: bool, str, int, float, []str, map{str: int}, struct{a str; b int} */
    mgmt_str doc;
    const mgmt_value *def;   /* NULL: stays MGMT_UNSET when not given */
    const mgmt_str *choices; /* for str: the only values allowed; NULL: any */
    size_t choice_count;
} mgmt_param;

/* ---- identities for automatic edges: plain data, matched by hash --------------------------------------------- */

enum { /* mgmt_uid.flags, used by auto_edges */
    MGMT_UID_BEFORE_ME = 0, /* who bears this identity comes before me */
    MGMT_UID_AFTER_ME = 1,
    MGMT_UID_NOTIFY = 2,
    /* key is a directory's and ends in '/': all who bear an identity of this space whose key begins with it come before me
     * (or after me). A group is not looked at */
    MGMT_UID_BELOW = 4,
    MGMT_UID_ENTRIES = 16 /* as BELOW, but only the entries of the directory, not what lies deeper */
};
enum { /* mgmt_uid.flags, used by uids */
    /* this is the thing I look after. No two resources of a graph, of whatever kinds, may have the same one: the graph is
     * refused when they ask for different things, and warned about otherwise. At most one for each resource, spelled in one
     * way: the path of a directory without the '/' at its end. Each resource puts its own, a leader not those of its members */
    MGMT_UID_PRIMARY = 8
};

/* Of all uids with one group number other than 0 the first hit ends the search: /var/lib/foo/bar/ wants
 * /var/lib/foo/, else /var/lib/. */
typedef struct mgmt_uid {
    mgmt_str space; /* "path", "svc", "pkg", "user", ... */
    mgmt_str key;
    uint32_t flags;
    uint32_t group;
} mgmt_uid;

/* ---- child processes: owned, limited and reaped by the host --------------------------------------------------- */

enum { /* mgmt_spawn.flags */
    MGMT_SPAWN_STDOUT = 1, /* call output() with what it writes; otherwise it goes to /dev/null */
    MGMT_SPAWN_STDERR = 2
};

typedef struct mgmt_spawn {
    uint32_t size;
    uint32_t flags;
    const mgmt_str *argv; /* argv[0] without '/' is looked up along the agent's PATH; no shell is involved */
    size_t argc;
    const mgmt_str *env; /* "NAME=value" each; the child sees nothing else */
    size_t env_count;
    mgmt_str cwd;   /* empty: the agent's; / for another user than the agent's */
    mgmt_str user;  /* name or number; empty: the agent's */
    mgmt_str group; /* name or number; empty: the user's primary group */
    int32_t stop_signal;      /* 0: SIGTERM. Sent to the process group by source_stop and at the time-out */
    uint32_t stop_grace_ms;   /* 0: 5000. Then SIGKILL */
    uint64_t timeout_ms;      /* 0: none */
} mgmt_spawn;

enum { /* mgmt_exit.how */
    MGMT_EXIT_EXITED = 0,     /* code is the exit status */
    MGMT_EXIT_SIGNALLED = 1,  /* code is the signal */
    MGMT_EXIT_NOT_STARTED = 2 /* code is errno, text says at which step */
};

typedef struct mgmt_exit {
    uint32_t size;
    int32_t how;
    int32_t code;
    uint32_t timed_out; /* 1: stopped because of timeout_ms */
    mgmt_str text;
} mgmt_exit;

typedef void (*mgmt_fd_fn)(void *user, uint32_t events);                                   /* [reactor] */
typedef void (*mgmt_timer_fn)(void *user);                                                 /* [reactor] */
typedef void (*mgmt_output_fn)(void *user, int32_t fd, const uint8_t *bytes, size_t len);  /* [reactor] fd: 1 or 2 */
typedef void (*mgmt_exit_fn)(void *user, const mgmt_exit *);                               /* [reactor] after all output */

/* ---- what the host offers --------------------------------------------------------------------------------------- */

struct mgmt_host { /* grows at the end only */
    uint32_t size;
    uint32_t minor; /* the host's MGMT_ABI_MINOR */
    void *impl;     /* the host's own */
    mgmt_str program;
    mgmt_str version;
    mgmt_str hostname;

    /* [any] res may be NULL. One line, no newline at the end; never write secrets. */
    void (*log)(const mgmt_host *, mgmt_res *res, uint32_t level, mgmt_str text);
    /* [any] Why a method fails. sys_errno 0: none; field: the parameter at fault or empty; hint: what to do or empty. */
    void (*fail)(mgmt_error *, int32_t sys_errno, mgmt_str field, mgmt_str text, mgmt_str hint);

    /* [any] The watch is armed: the first check may run. Exactly once after each watch. */
    void (*ready)(mgmt_res *);
    /* [any] The resource's state may have changed. Coalesced; cheap. */
    void (*event)(mgmt_res *);
    /* [any] The watch is broken for good: the resource fails with this error. text and hint as in fail. */
    void (*watch_failed)(mgmt_res *, int32_t sys_errno, mgmt_str text, mgmt_str hint);

    /* [worker] Readable as soon as the call is cancelled. Owned by the host. -1: cannot be made. */
    int (*cancel_fd)(mgmt_call *);
    /* [any] For views only. permille: 0...1000. */
    void (*progress)(mgmt_call *, uint32_t permille, mgmt_str text);
    /* [any] One difference between what is and what is asked. path: "content", "mode", or "/sub/file#mode" for things
     * below the resource. was or will NULL or MGMT_UNSET: is not there. Report each before mending it. */
    void (*change)(mgmt_call *, mgmt_str path, const mgmt_value *was, const mgmt_value *will);
    /* [any] Publish the values this kind sends: a struct in the order of mgmt_kind.sends. */
    mgmt_status (*send)(mgmt_call *, const mgmt_value *st);
    /* [any] Where the error of a PENDING call goes, before complete. */
    mgmt_error *(*call_error)(mgmt_call *);
    /* [any] Ends a call whose check_apply answered MGMT_PENDING: exactly once. The call is gone afterwards. */
    void (*complete)(mgmt_call *, mgmt_status);

    /* [reactor] The host never closes the fd. NULL: refused (logged). */
    mgmt_source *(*fd_add)(const mgmt_host *, int fd, uint32_t events, mgmt_fd_fn, void *user);
    void (*fd_modify)(mgmt_source *, uint32_t events); /* [reactor] */
    /* [reactor] every_ms 0: once; the source still has to be deleted. */
    mgmt_source *(*timer_add)(const mgmt_host *, uint64_t first_ms, uint64_t every_ms, mgmt_timer_fn, void *user);
    /* [any] Starts in a new session and process group, standard input /dev/null, all signals at their defaults; the fork happens on a
     * pool thread. exit is called exactly once unless source_delete comes first, also when it could not be started. */
    mgmt_source *(*spawn)(const mgmt_host *, const mgmt_spawn *, mgmt_output_fn, mgmt_exit_fn, void *user);
    /* [reactor] A child's process group gets stop_signal, after stop_grace_ms SIGKILL; exit is called as usual. */
    void (*source_stop)(mgmt_source *);
    /* [reactor] Afterwards the callback never runs. A child that still runs is killed with its group. */
    void (*source_delete)(mgmt_source *);

    /* [any] The resource's own directory for state that outlives the process, made on demand (0700), with a '/' at the
     * end. name: "" or a single component. *len gets the full length; MGMT_FAILED when cap is too small. */
    mgmt_status (*vardir)(mgmt_res *, mgmt_str name, char *buf, size_t cap, size_t *len);

    void (*put_uid)(mgmt_sink *, const mgmt_uid *);                                          /* in uids, auto_edges */
    void (*put_resource)(mgmt_sink *, mgmt_str kind, mgmt_str name, const mgmt_str *params,  /* in reverse */
                         const mgmt_value *values, size_t count);

    /* [any] A named capability with a revision ("dbus/1"), or NULL. */
    const void *(*extension)(const mgmt_host *, const char *id);

    /* [any] As send, for a member of the group this call's resource leads. */
    mgmt_status (*send_as)(mgmt_call *, mgmt_res *member, const mgmt_value *st);

    /* [any] The plugin's own directory for state that outlives the process, made on demand (0700), with a '/' at the end.
     * *len and cap as in vardir. MGMT_UNSUPPORTED: this process only looks and changes nothing (mgmt graph, --noop).
     * A plugin whose directory is not empty when the agent starts has its kinds opened even if no resource is of them: it
     * can put away what an agent that was killed left behind. */
    mgmt_status (*plugin_dir)(const mgmt_host *, char *buf, size_t cap, size_t *len);
};

/* ---- a kind of resource -------------------------------------------------------------------------------------------- */

enum { /* mgmt_kind.flags */
    MGMT_KIND_NONBLOCKING = 1, /* check_apply never blocks: the host may run it on the reactor */
    MGMT_KIND_REFRESH = 2,     /* check_apply has a use for REFRESH */
    MGMT_KIND_BLOCKING_WATCH = 4, /* watch_blocking instead of watch */
    MGMT_KIND_BRIEF = 8 /* check_apply understands MGMT_CHECK_BRIEF: a lone event is answered without a hop to a worker */
};
enum { /* flags of check_apply */
    MGMT_CHECK_APPLY = 1,    /* mend what differs; without it nothing may be changed */
    MGMT_CHECK_REFRESH = 2,  /* a notification is pending */
    MGMT_CHECK_WANT_DIFF = 4, /* someone reads host->change: contents are wanted, not only digests */
    MGMT_CHECK_BRIEF = 8 /* this is the reactor's thread: do it if it takes well under a millisecond, else MGMT_LATER */
};
enum { /* flags of prepare */
    MGMT_PREPARE_EDGES = 1 /* there are resources of other kinds: uids and auto_edges will be asked for */
};

struct mgmt_kind { /* grows at the end only */
    uint32_t size;
    uint32_t flags;
    mgmt_str name;
    mgmt_str doc;
    const mgmt_param *const *params;
    size_t param_count;
    const mgmt_param *const *sends; /* fields given to host->send; only name, type, doc and MGMT_PARAM_SECRET are read */
    size_t send_count;
    void *user; /* the plugin's own */

    /* [reactor] State shared by all instances: one inotify fd, one bus connection. Called before the first create. */
    mgmt_status (*open)(const mgmt_kind *, void *plugin, const mgmt_host *, void **kind, mgmt_error *);
    void (*close)(void *kind); /* [reactor] after the last destroy */

    /* [any] Pure: looks at its arguments only. params: param_count values in schema order, defaults filled in. */
    mgmt_status (*validate)(const mgmt_kind *, mgmt_str name, const mgmt_value *params, mgmt_error *);
    mgmt_status (*create)(void *kind, mgmt_res *, mgmt_str name, const mgmt_value *params, void **self,
                          mgmt_error *); /* [reactor] no I/O */
    /* [reactor] Before a check: changed[i] is 1 where params[i] was received anew since the last check that succeeded.
     * MGMT_RECREATE, or no such method: the host destroys the resource and creates it with these values. */
    mgmt_status (*update)(void *self, const mgmt_value *params, const uint8_t *changed, mgmt_error *);
    void (*destroy)(void *self); /* [reactor] no call is running, the watch is off */

    mgmt_status (*watch)(void *self, mgmt_error *); /* [reactor] add sources, then host->ready, now or later */
    void (*unwatch)(void *self);                    /* [reactor] delete them */
    /* A thread of its own: host->ready once, host->event for each change, return when cancel_fd is readable. */
    mgmt_status (*watch_blocking)(void *self, mgmt_call *, mgmt_error *);

    mgmt_status (*check_apply)(void *self, mgmt_call *, uint32_t flags, mgmt_error *); /* [worker]; [reactor] with BRIEF */
    void (*cancel)(void *self, mgmt_call *); /* [reactor] end a PENDING call soon: complete it with MGMT_CANCELLED */

    mgmt_status (*uids)(void *self, mgmt_sink *, mgmt_error *);       /* [any] what I am */
    mgmt_status (*auto_edges)(void *self, mgmt_sink *, mgmt_error *); /* [any] what I come after (or before) */
    int32_t (*cmp)(void *a, void *b);                     /* [reactor] 0: the same; NULL: the host compares parameters */
    /* [reactor] MGMT_OK: member may join leader. Between resources of one kind it must not matter which of them leads; one
     * that refuses itself (leader == member) is not asked about others of its kind. */
    mgmt_status (*group_cmp)(void *leader, void *member);
    /* [reactor] Once for each member, before the leader's watch. From then on only the leader is watched and checked, for
     * all of them; members are destroyed after it. */
    mgmt_status (*group)(void *leader, void *member);
    /* [worker] Before the first check that applies: put_resource (same kind and name) what puts things back to how they are
     * now. Nothing put: there is nothing to put back. The host keeps it until the resource has left the graph. */
    mgmt_status (*reverse)(void *self, mgmt_sink *, mgmt_error *);

    const void *(*extension)(const char *id); /* [any] */

    /* [reactor] Once for each graph with new resources, after those were created and before uids, auto_edges and group_cmp:
     * finds out what these need, as the files of packages; keep what does not change. flags: MGMT_PREPARE_EDGES. May answer
     * MGMT_PENDING; the host waits at most 30 s and goes on without. With EDGES a failure is logged: edges may be missing. */
    mgmt_status (*prepare)(void *kind, mgmt_call *, uint32_t flags, mgmt_error *);

    /* [worker] Brings what its resources wrote to the disk, as syncfs does: when all is quiet after changes, at most every 5 s, and
     * before an end by convergence, which waits for it for 10 s. Never two at a time; checks may run meanwhile. A failure is told. */
    mgmt_status (*settle)(void *kind, mgmt_call *, mgmt_error *);
};

/* ---- functions for the language ------------------------------------------------------------------------------------- */

/* A pure C function; bool, int, float and str only. signature: "func(float, float) float". */
typedef struct mgmt_func {
    uint32_t size;
    uint32_t flags;
    mgmt_str name;
    mgmt_str signature;
    mgmt_str doc;
    void (*fn)(void);
} mgmt_func;

/* ---- the plugin ------------------------------------------------------------------------------------------------------ */

struct mgmt_plugin { /* static data; grows at the end only */
    uint32_t abi_major; /* MGMT_ABI_MAJOR */
    uint32_t abi_minor; /* the lowest minor this plugin can live with */
    uint32_t size;
    uint32_t flags;
    mgmt_str name;
    mgmt_str version;
    mgmt_str license; /* SPDX */
    mgmt_str doc;
    mgmt_status (*init)(const mgmt_host *, void **plugin, mgmt_error *); /* [reactor] once; may be NULL */
    void (*deinit)(void *plugin);                                        /* [reactor] may be NULL */
    const mgmt_kind *const *kinds;
    size_t kind_count;
    const mgmt_func *const *funcs;
    size_t func_count;
};

/* The one symbol. Must not run code beyond returning its data: it is also called in a scanning process. */
MGMT_EXPORT const mgmt_plugin *mgmt_plugin_v1(void);
typedef const mgmt_plugin *(*mgmt_plugin_v1_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
