/* SPDX-License-Identifier: Apache-2.0
 * What Swift cannot say: vfork with work in the child, and system calls glibc has no function for. */
#ifndef REACTOR_SHIMS_H
#define REACTOR_SHIMS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/types.h>

typedef struct shim_spawn {
    const char *path;        /* the program, with a '/' */
    char *const *argv;
    char *const *envp;
    const char *cwd;         /* NULL: unchanged */
    int32_t change_identity; /* 1: groups, gid and uid are set, in this order */
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t group_count;
    int stdin_fd, stdout_fd, stderr_fd;
    uint64_t nofile_soft;    /* soft limit of open files for the child; 0: unchanged */
    int sets_core;           /* 1: core_soft is the child's soft limit of core files */
    uint64_t core_soft;
    int guard;               /* the socket of the guard the child announces itself to; -1: none */
    uint64_t number;         /* its number there */
} shim_spawn;

enum { SHIM_STEP_FORK = 0, SHIM_STEP_DIRECTORY, SHIM_STEP_IDENTITY, SHIM_STEP_STREAMS, SHIM_STEP_EXEC, SHIM_STEP_GUARD };

/* Starts a program in a new session, and so in a new process group. Returns its pid, or -1 with errno in *error and the step in *step. The parent waits
 * until the program runs; the child touches nothing of the parent's memory but these two. */
pid_t shim_spawn_program(const shim_spawn *request, int *error, int *step);

/* Asks the scheduler for short slices for this thread: it gets no more time than others, but its turn comes at once when it
 * wakes up (Linux 6.12). Threads and processes it starts do not inherit it. -1 and errno where the kernel does not know it. */
int shim_ask_for_short_slices(uint64_t nanoseconds);
long shim_thread_preemptions(void); /* how often others took the processor from this thread */
void shim_one_heap(void); /* all threads allocate from one heap: before there are threads */
int shim_pipe(int ends[2]); /* close-on-exec */
int shim_error_text(int error, char *text, size_t size);
int shim_pidfd_open(pid_t pid);
int shim_pidfd_send_signal(int pidfd, int signal);

#endif
