/* SPDX-License-Identifier: Apache-2.0
 *
 * note.c - a template to start a plugin from. One kind, `note`: a file with a few lines of text.
 *
 * It shows parameters of every common type, validation, a watch shared by all resources of the kind, check and apply with
 * reports of what differs, identities, grouping, and errors with hints. docs/writing-plugins.md explains each step.
 */
#define _GNU_SOURCE
#include <mgmt/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- parameters: their order here is the order of the values in every call -------------------------------------- */

enum { PATH, TEXT, STATE, MODE, NEWLINE, HEADER, PARAM_COUNT };

static const mgmt_value default_text = {MGMT_STRING, 0, {.s = {NULL, 0}}};
static const mgmt_value default_state = {MGMT_STRING, 0, {.s = MGMT_STR("exists")}};
static const mgmt_value default_mode = {MGMT_INT, 0, {.i = 0644}};
static const mgmt_value default_newline = {MGMT_BOOL, 0, {.i = 1}};
static const mgmt_str states[] = {MGMT_STR("exists"), MGMT_STR("absent")};

static const mgmt_param path_param = {
    .size = sizeof(mgmt_param), .flags = MGMT_PARAM_NAME, .name = MGMT_STR("path"), .type = MGMT_STR("str"),
    .doc = MGMT_STR("The file, an absolute path.")};
static const mgmt_param text_param = {
    .size = sizeof(mgmt_param), .name = MGMT_STR("text"), .type = MGMT_STR("str"),
    .doc = MGMT_STR("The text in it."), .def = &default_text};
static const mgmt_param state_param = {
    .size = sizeof(mgmt_param), .name = MGMT_STR("state"), .type = MGMT_STR("str"),
    .doc = MGMT_STR("Whether the file is there."), .def = &default_state, .choices = states, .choice_count = 2};
static const mgmt_param mode_param = {
    .size = sizeof(mgmt_param), .name = MGMT_STR("mode"), .type = MGMT_STR("int"),
    .doc = MGMT_STR("Its permission bits as a number: 420 is octal 0644."), .def = &default_mode};
static const mgmt_param newline_param = {
    .size = sizeof(mgmt_param), .name = MGMT_STR("newline"), .type = MGMT_STR("bool"),
    .doc = MGMT_STR("Whether the text ends with a newline."), .def = &default_newline};
static const mgmt_param header_param = {
    .size = sizeof(mgmt_param), .name = MGMT_STR("header"), .type = MGMT_STR("[]str"),
    .doc = MGMT_STR("Lines before the text, each written with \"# \" in front.")};
static const mgmt_param *const params[PARAM_COUNT] = {
    &path_param, &text_param, &state_param, &mode_param, &newline_param, &header_param};

/* ---- state ------------------------------------------------------------------------------------------------------ */

struct kind { /* shared by all notes: one inotify fd for the process */
    const mgmt_host *host;
    int inotify;
    mgmt_source *source;
    struct note *watching; /* list through next */
};

struct note {
    struct kind *kind;
    mgmt_res *res;
    char *directory; /* without the last component of path */
    char *name;      /* that component */
    char *content;
    size_t length;
    mode_t mode;
    int absent;
    int watch; /* inotify's descriptor of the directory; -1: none */
    struct note *next;
    struct note *member; /* the notes grouped into this one, a list */
};

/* ---- small helpers ---------------------------------------------------------------------------------------------- */

static mgmt_str str(const char *text) {
    mgmt_str result = {text, strlen(text)};
    return result;
}

static mgmt_status fail(const mgmt_host *host, mgmt_error *error, int number, const char *field, const char *text,
                        const char *hint) {
    host->fail(error, number, str(field), str(text), str(hint));
    return MGMT_FAILED;
}

/* Strings of the host are not NUL-terminated and are gone after the call. */
static char *copy(mgmt_str text) {
    char *result = malloc(text.len + 1);
    if (result == NULL) return NULL;
    if (text.len > 0) memcpy(result, text.ptr, text.len);
    result[text.len] = '\0';
    return result;
}

static int has_nul(mgmt_str text) { return text.len > 0 && memchr(text.ptr, 0, text.len) != NULL; }

static mgmt_str path_of(mgmt_str name, const mgmt_value *values) {
    return values[PATH].type == MGMT_STRING ? values[PATH].u.s : name;
}

/* ---- the plugin and the kind ------------------------------------------------------------------------------------ */

/* validate has no kind to find the host by, so init keeps it. */
static const mgmt_host *the_host;

static mgmt_status plugin_init(const mgmt_host *host, void **plugin, mgmt_error *error) {
    (void)error;
    the_host = host;
    *plugin = NULL;
    return MGMT_OK;
}

static void inotify_ready(void *user, uint32_t events);

static mgmt_status kind_open(const mgmt_kind *description, void *plugin, const mgmt_host *host, void **result,
                             mgmt_error *error) {
    (void)description;
    (void)plugin;
    struct kind *kind = calloc(1, sizeof *kind);
    if (kind == NULL) return fail(host, error, ENOMEM, "", "there is no memory for the kind", "");
    kind->host = host;
    kind->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (kind->inotify < 0) {
        free(kind);
        return fail(host, error, errno, "", "inotify cannot be used", "raise fs.inotify.max_user_instances");
    }
    kind->source = host->fd_add(host, kind->inotify, MGMT_FD_READ, inotify_ready, kind);
    if (kind->source == NULL) {
        close(kind->inotify);
        free(kind);
        return fail(host, error, 0, "", "the host does not watch the inotify descriptor", "");
    }
    *result = kind;
    return MGMT_OK;
}

static void kind_close(void *user) {
    struct kind *kind = user;
    kind->host->source_delete(kind->source);
    close(kind->inotify);
    free(kind);
}

static mgmt_status validate(const mgmt_kind *description, mgmt_str name, const mgmt_value *values, mgmt_error *error) {
    (void)description;
    mgmt_str path = path_of(name, values);
    if (path.len < 2 || path.ptr[0] != '/' || path.ptr[path.len - 1] == '/' || has_nul(path))
        return fail(the_host, error, 0, "path", "this is not the absolute path of a file", "write a path such as /etc/motd");
    if (has_nul(values[TEXT].u.s)) return fail(the_host, error, 0, "text", "it contains a NUL character", "");
    if (values[MODE].u.i < 0 || values[MODE].u.i > 07777)
        return fail(the_host, error, 0, "mode", "these are not permission bits", "write a number from 0 to 4095 (octal 7777)");
    return MGMT_OK;
}

/* The whole text of the file: header lines, text, newline. */
static int compose(struct note *note, const mgmt_value *values) {
    mgmt_values header = {NULL, 0};
    if (values[HEADER].type == MGMT_LIST) header = values[HEADER].u.v;
    mgmt_str text = values[TEXT].u.s;
    size_t length = text.len + 1;
    for (size_t i = 0; i < header.count; i++) length += header.at[i].u.s.len + 3;
    char *at = note->content = malloc(length);
    if (at == NULL) return 0;
    for (size_t i = 0; i < header.count; i++) {
        mgmt_str line = header.at[i].u.s;
        memcpy(at, "# ", 2);
        if (line.len > 0) memcpy(at + 2, line.ptr, line.len);
        at[line.len + 2] = '\n';
        at += line.len + 3;
    }
    if (text.len > 0) memcpy(at, text.ptr, text.len);
    at += text.len;
    if (values[NEWLINE].u.i) *at++ = '\n';
    note->length = (size_t)(at - note->content);
    return 1;
}

static void destroy(void *self) {
    struct note *note = self;
    free(note->directory);
    free(note->name);
    free(note->content);
    free(note);
}

static mgmt_status create(void *user, mgmt_res *res, mgmt_str name, const mgmt_value *values, void **self,
                          mgmt_error *error) {
    struct kind *kind = user;
    struct note *note = calloc(1, sizeof *note);
    if (note == NULL) return fail(kind->host, error, ENOMEM, "", "there is no memory for the note", "");
    note->kind = kind;
    note->res = res;
    note->watch = -1;
    note->mode = (mode_t)values[MODE].u.i;
    mgmt_str state = values[STATE].u.s;
    note->absent = state.len == states[1].len && memcmp(state.ptr, states[1].ptr, state.len) == 0;
    mgmt_str path = path_of(name, values);
    size_t cut = path.len;
    while (cut > 0 && path.ptr[cut - 1] != '/') cut--;
    mgmt_str directory = {path.ptr, cut > 1 ? cut - 1 : cut};
    mgmt_str last = {path.ptr + cut, path.len - cut};
    note->directory = copy(directory);
    note->name = copy(last);
    if (note->directory == NULL || note->name == NULL || !compose(note, values)) {
        destroy(note);
        return fail(kind->host, error, ENOMEM, "", "there is no memory for the note", "");
    }
    *self = note;
    return MGMT_OK;
}

/* ---- watch: the directory, so that a file that does not exist yet is seen as well ------------------------------- */

static mgmt_status watch(void *self, mgmt_error *error) {
    struct note *note = self;
    struct kind *kind = note->kind;
    /* One directory has one descriptor, however many notes are in it. */
    note->watch = inotify_add_watch(
        kind->inotify, note->directory,
        IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
            IN_MOVE_SELF | IN_ONLYDIR);
    if (note->watch < 0) {
        int number = errno;
        const char *hint = number == ENOSPC ? "raise fs.inotify.max_user_watches"
                                            : "make the directory first, for example by a file resource";
        return fail(kind->host, error, number, "path", "its directory cannot be watched", hint);
    }
    note->next = kind->watching;
    kind->watching = note;
    kind->host->ready(note->res);
    return MGMT_OK;
}

static void unwatch(void *self) {
    struct note *note = self;
    struct kind *kind = note->kind;
    int still_used = 0;
    for (struct note **at = &kind->watching; *at != NULL;) {
        if (*at == note) {
            *at = note->next;
        } else {
            still_used |= (*at)->watch == note->watch;
            at = &(*at)->next;
        }
    }
    if (note->watch >= 0 && !still_used) inotify_rm_watch(kind->inotify, note->watch);
    note->watch = -1;
}

static int concerns(const struct note *note, const struct inotify_event *event) {
    for (; note != NULL; note = note->member)
        if (event->len > 0 && strcmp(event->name, note->name) == 0) return 1;
    return 0;
}

static void dispatch(struct kind *kind, const struct inotify_event *event) {
    for (struct note *note = kind->watching; note != NULL; note = note->next) {
        if (event->mask & IN_Q_OVERFLOW) { /* events were lost: everything may have changed */
            kind->host->event(note->res);
        } else if (event->wd != note->watch) {
            continue;
        } else if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) {
            kind->host->watch_failed(note->res, 0, str("the directory of the file is gone"), str("make the directory again"));
        } else if (concerns(note, event)) {
            kind->host->event(note->res);
        }
    }
}

static void inotify_ready(void *user, uint32_t events) {
    struct kind *kind = user;
    _Alignas(struct inotify_event) char buffer[16384];
    (void)events;
    ssize_t count = read(kind->inotify, buffer, sizeof buffer);
    /* One buffer a turn: the descriptor stays readable, and others get their turn. */
    for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= count;) {
        const struct inotify_event *event = (const struct inotify_event *)(const void *)(buffer + at);
        dispatch(kind, event);
        at += (ssize_t)(sizeof *event + event->len);
    }
}

/* ---- check and apply -------------------------------------------------------------------------------------------- */

struct found {
    int exists;
    mode_t mode;
    char *content;
    size_t length;
};

/* 0, or the errno that says why the file cannot be read. No link is followed, and a fifo cannot make us wait. */
static int look(const struct note *note, int directory, struct found *found) {
    memset(found, 0, sizeof *found);
    int file = openat(directory, note->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return errno == ENOENT ? 0 : errno;
    struct stat info = {0};
    int problem = fstat(file, &info) == 0 ? 0 : errno;
    if (problem == 0 && !S_ISREG(info.st_mode)) problem = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    if (problem == 0) {
        /* One byte more than wanted is enough to know that it differs. */
        found->content = malloc(note->length + 1);
        if (found->content == NULL) problem = ENOMEM;
    }
    while (problem == 0 && found->length <= note->length) {
        ssize_t count = read(file, found->content + found->length, note->length + 1 - found->length);
        if (count < 0) problem = errno;
        if (count <= 0) break;
        found->length += (size_t)count;
    }
    close(file);
    found->exists = 1;
    found->mode = info.st_mode & 07777;
    return problem;
}

/* Writes beside the file and renames: a reader sees the old text or the new one, never half of it. */
static int store(const struct note *note, int directory) {
    char temporary[NAME_MAX + 1];
    if ((size_t)snprintf(temporary, sizeof temporary, ".mgmt-%s.new", note->name) >= sizeof temporary) return ENAMETOOLONG;
    unlinkat(directory, temporary, 0);
    int file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    int problem = 0;
    for (size_t done = 0; done < note->length && problem == 0;) {
        ssize_t count = write(file, note->content + done, note->length - done);
        if (count >= 0) done += (size_t)count;
        else if (errno != EINTR) problem = errno;
    }
    if (problem == 0 && fchmod(file, note->mode) != 0) problem = errno;
    if (close(file) != 0 && problem == 0) problem = errno;
    if (problem == 0 && renameat(directory, temporary, directory, note->name) != 0) problem = errno;
    if (problem != 0) unlinkat(directory, temporary, 0);
    return problem;
}

static void report(const struct note *note, mgmt_call *call, const struct note *leader, const char *what,
                   const mgmt_value *was, const mgmt_value *will) {
    char path[NAME_MAX + 32];
    /* Differences of grouped notes are told apart by their file's name. */
    if (note == leader) snprintf(path, sizeof path, "%s", what);
    else snprintf(path, sizeof path, "/%s#%s", note->name, what);
    note->kind->host->change(call, str(path), was, will);
}

static mgmt_value text_value(const char *bytes, size_t length) {
    mgmt_value value = {MGMT_STRING, 0, {.s = {bytes, length}}};
    return value;
}

static mgmt_value mode_value(mode_t mode, char *buffer, size_t size) {
    int length = snprintf(buffer, size, "0%03o", (unsigned)mode);
    return text_value(buffer, (size_t)length);
}

static mgmt_status check_one(struct note *note, const struct note *leader, mgmt_call *call, uint32_t flags,
                             mgmt_error *error) {
    const mgmt_host *host = note->kind->host;
    int directory = open(note->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return fail(host, error, errno, "path", "its directory cannot be opened", "make the directory first");
    struct found found;
    mgmt_status status = MGMT_OK;
    int problem = look(note, directory, &found);
    const char *hint = problem == ELOOP ? "it is a symbolic link: remove it, or name the file it leads to" : "";
    if (problem != 0) {
        status = fail(host, error, problem, "path", "the file cannot be read", hint);
        goto done;
    }
    mgmt_value was = text_value(found.content, found.length), will = text_value(note->content, note->length);
    int differs;
    if (note->absent) {
        differs = found.exists;
        if (differs) report(note, call, leader, "content", &was, NULL);
    } else {
        int content = !found.exists || found.length != note->length || memcmp(found.content, note->content, note->length) != 0;
        int mode = found.exists && found.mode != note->mode;
        differs = content || mode;
        if (content) report(note, call, leader, "content", found.exists ? &was : NULL, &will);
        if (mode) {
            char old[16], new[16];
            mgmt_value was_mode = mode_value(found.mode, old, sizeof old);
            mgmt_value will_mode = mode_value(note->mode, new, sizeof new);
            report(note, call, leader, "mode", &was_mode, &will_mode);
        }
    }
    if (differs && !(flags & MGMT_CHECK_APPLY)) {
        status = MGMT_DIFFERS;
    } else if (differs) {
        problem = note->absent ? (unlinkat(directory, note->name, 0) == 0 ? 0 : errno) : store(note, directory);
        status = problem == 0 ? MGMT_CHANGED : fail(host, error, problem, "path", "the file cannot be changed", "");
    }
done:
    free(found.content);
    close(directory);
    return status;
}

static mgmt_status check_apply(void *self, mgmt_call *call, uint32_t flags, mgmt_error *error) {
    mgmt_status result = MGMT_OK;
    for (struct note *note = self; note != NULL; note = note->member) {
        mgmt_status status = check_one(note, self, call, flags, error);
        if (status < 0) return status;
        if (status != MGMT_OK) result = status;
    }
    return result;
}

/* ---- automatic edges and grouping ------------------------------------------------------------------------------- */

static mgmt_status uids(void *self, mgmt_sink *sink, mgmt_error *error) {
    (void)error;
    struct note *note = self;
    char path[PATH_MAX];
    const char *separator = note->directory[1] == '\0' ? "" : "/";
    int length = snprintf(path, sizeof path, "%s%s%s", note->directory, separator, note->name);
    if (length < 0 || (size_t)length >= sizeof path) return MGMT_OK;
    /* No other resource may look after the same file. Members of a group are asked themselves. */
    mgmt_uid uid = {.space = str("path"), .key = str(path), .flags = MGMT_UID_PRIMARY};
    note->kind->host->put_uid(sink, &uid);
    return MGMT_OK;
}

static mgmt_status auto_edges(void *self, mgmt_sink *sink, mgmt_error *error) {
    (void)error;
    struct note *note = self;
    char directory[PATH_MAX];
    /* Directories bear their path with a '/' at the end. */
    if ((size_t)snprintf(directory, sizeof directory, "%s/", note->directory) >= sizeof directory) return MGMT_OK;
    mgmt_uid uid = {.space = str("path"), .key = str(directory), .flags = MGMT_UID_BEFORE_ME};
    note->kind->host->put_uid(sink, &uid);
    return MGMT_OK;
}

static mgmt_status group_cmp(void *leader, void *member) {
    const struct note *a = leader, *b = member;
    return strcmp(a->directory, b->directory) == 0 ? MGMT_OK : MGMT_UNSUPPORTED;
}

/* From now on the leader is watched and checked for both. */
static mgmt_status group(void *leader, void *member) {
    struct note *last = leader;
    while (last->member != NULL) last = last->member;
    last->member = member;
    return MGMT_OK;
}

/* ---- the descriptor --------------------------------------------------------------------------------------------- */

static const mgmt_kind note_kind = {
    .size = sizeof(mgmt_kind),
    .name = MGMT_STR("note"),
    /* Markdown; `mgmt plugins show note --markdown` makes a page of it and of the tables above. */
    .doc = MGMT_STR("A file with a few lines of text, written as a whole.\n"
                    "\n"
                    "## Example\n"
                    "\n"
                    "```yaml\n"
                    "graph: notes\n"
                    "resources:\n"
                    "  note:\n"
                    "  - name: hello\n"
                    "    path: /tmp/hello\n"
                    "    text: hello world\n"
                    "    header: [managed, do not edit]\n"
                    "```\n"
                    "\n"
                    "## Automatic edges\n"
                    "\n"
                    "A note bears its path (`path`) and comes after the directory it is in."),
    .params = params,
    .param_count = PARAM_COUNT,
    .open = kind_open,
    .close = kind_close,
    .validate = validate,
    .create = create,
    .destroy = destroy,
    .watch = watch,
    .unwatch = unwatch,
    .check_apply = check_apply,
    .uids = uids,
    .auto_edges = auto_edges,
    .group_cmp = group_cmp,
    .group = group,
};
static const mgmt_kind *const kinds[] = {&note_kind};

static const mgmt_plugin plugin = {
    .abi_major = MGMT_ABI_MAJOR,
    .abi_minor = 0,
    .size = sizeof(mgmt_plugin),
    .name = MGMT_STR("note"),
    .version = MGMT_STR("1.0.0"),
    .license = MGMT_STR("Apache-2.0"),
    .doc = MGMT_STR("A template for plugins in C."),
    .init = plugin_init,
    .kinds = kinds,
    .kind_count = 1,
};

const mgmt_plugin *mgmt_plugin_v1(void) { return &plugin; }
