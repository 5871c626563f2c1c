/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "guard_shims.h"
#include "shims.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_MARK_CLOEXEC 4u

/* Runs in the child, which borrows the parent's memory until exec: raw system calls only. glibc's setuid and friends would
 * signal the parent's threads. */
static int prepare_and_exec(const shim_spawn *request, int *step) {
    /* The kernel's struct sigaction, zero: SIG_DFL. glibc's function leaves out the two signals it uses itself, which may
     * have been inherited as ignored. */
    const unsigned long standard[4] = {0, 0, 0, 0};
    sigset_t none;

    for (int number = 1; number <= 64; number++)
        if (number != SIGKILL && number != SIGSTOP) syscall(SYS_rt_sigaction, number, standard, NULL, sizeof(unsigned long));
    sigemptyset(&none);

    *step = SHIM_STEP_STREAMS;
    /* A session of its own: no controlling terminal into which it could type what the agent's user then runs. */
    if (syscall(SYS_setsid) < 0) return errno;
    if (request->guard >= 0) { /* in its group already, and with the agent's identity still */
        *step = SHIM_STEP_GUARD;
        int error = shim_guard_announce(request->guard, request->number);
        if (error != 0) return error;
        *step = SHIM_STEP_STREAMS;
    }
    if (dup2(request->stdin_fd, 0) < 0 || dup2(request->stdout_fd, 1) < 0 || dup2(request->stderr_fd, 2) < 0) return errno;
    /* Plugins may have opened descriptors without O_CLOEXEC. */
    syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_MARK_CLOEXEC);
    if (request->nofile_soft != 0) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && request->nofile_soft <= limit.rlim_max) {
            limit.rlim_cur = request->nofile_soft;
            setrlimit(RLIMIT_NOFILE, &limit);
        }
    }

    if (request->sets_core) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_CORE, &limit) == 0 && request->core_soft <= limit.rlim_max) {
            limit.rlim_cur = request->core_soft;
            setrlimit(RLIMIT_CORE, &limit);
        }
    }

    *step = SHIM_STEP_IDENTITY;
    if (request->change_identity) {
        if (syscall(SYS_setgroups, request->group_count, request->groups) != 0) return errno;
        if (syscall(SYS_setresgid, request->gid, request->gid, request->gid) != 0) return errno;
        if (syscall(SYS_setresuid, request->uid, request->uid, request->uid) != 0) return errno;
    }
    *step = SHIM_STEP_DIRECTORY; /* as the user it runs as */
    if (request->cwd != NULL && chdir(request->cwd) != 0) return errno;

    *step = SHIM_STEP_EXEC;
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->path, request->argv, request->envp);
    return errno;
}

/* True of a child by vfork as soon as it is known; but where a sanitizer makes a fork of vfork it may not have come so far. */
static void await_session(pid_t pid) {
    siginfo_t info = {.si_pid = 0};
    while (getsid(pid) != pid && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0)
        sched_yield();
}

pid_t shim_spawn_program(const shim_spawn *request, int *error, int *step) {
    volatile int child_error = 0;
    int child_step = SHIM_STEP_FORK;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0) {
        child_error = prepare_and_exec(request, &child_step);
        _exit(127);
    }
    int fork_error = errno;
    if (pid > 0) await_session(pid);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *step = child_step;
    if (pid < 0) {
        *error = fork_error;
        return -1;
    }
    if (child_error != 0) {
        *error = child_error;
        if (request->guard >= 0) shim_guard_release(request->guard, request->number);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        return -1;
    }
    *error = 0;
    return pid;
}

/* struct sched_attr of <linux/sched/types.h>, which older headers lack or define against glibc's. */
struct slice_request {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

int shim_ask_for_short_slices(uint64_t nanoseconds) {
    struct slice_request request = {.size = sizeof request};
    if (syscall(SYS_sched_getattr, 0, &request, sizeof request, 0) != 0) return -1;
    request.size = sizeof request;
    request.flags |= 1; /* SCHED_FLAG_RESET_ON_FORK */
    request.runtime = nanoseconds;
    return (int)syscall(SYS_sched_setattr, 0, &request, 0);
}

long shim_thread_preemptions(void) {
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

void shim_one_heap(void) {
    (void)mallopt(M_ARENA_MAX, 1);
}

int shim_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int shim_error_text(int error, char *text, size_t size) {
    const char *words = strerror_r(error, text, size); /* GNU's: the words may lie elsewhere */
    if (size == 0) return -1;
    if (words != text) {
        strncpy(text, words, size - 1);
        text[size - 1] = 0;
    }
    return 0;
}

int shim_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int shim_pidfd_send_signal(int pidfd, int number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}
