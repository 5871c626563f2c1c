/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "guard_shims.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* Raw system calls: also called in a child by vfork. */
static int send_message(int socket, shim_guard_message message, int pidfd, int flags) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = &message, .iov_len = sizeof message};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

    if (pidfd >= 0) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = sizeof control.bytes;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        *(int *)(void *)CMSG_DATA(&control.header) = pidfd;
    }
    return syscall(SYS_sendmsg, socket, &packet, flags | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int shim_guard_watch(int socket, uint64_t number, pid_t pid, int pidfd) {
    return send_message(socket, (shim_guard_message){SHIM_GUARD_WATCH, pid, number}, pidfd, MSG_DONTWAIT);
}

int shim_guard_release(int socket, uint64_t number) {
    return send_message(socket, (shim_guard_message){SHIM_GUARD_RELEASE, 0, number}, -1, MSG_DONTWAIT);
}

int shim_guard_announce(int socket, uint64_t number) {
    pid_t pid = (pid_t)syscall(SYS_getpid);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec */
    if (pidfd < 0) return errno;
    return send_message(socket, (shim_guard_message){SHIM_GUARD_WATCH, pid, number}, pidfd, 0) == 0 ? 0 : errno;
}

/* In the child, which borrows the parent's memory until exec. */
static int become_guard(const char *path, int socket, int agent, int null) {
    static char *const arguments[] = {"mgmt-guard", NULL};
    static char *const environment[] = {NULL};
    /* Out of the way of the numbers they are to get. */
    int from[] = {fcntl(null, F_DUPFD, 10), fcntl(socket, F_DUPFD, 10), fcntl(agent, F_DUPFD, 10)};

    if (syscall(SYS_setsid) < 0 || chdir("/") != 0) return errno;
    if (from[0] < 0 || from[1] < 0 || from[2] < 0) return errno;
    for (int number = 0; number <= 2; number++)
        if (dup2(from[0], number) < 0) return errno;
    if (dup2(from[1], SHIM_GUARD_SOCKET) < 0 || dup2(from[2], SHIM_GUARD_AGENT) < 0) return errno;
    syscall(SYS_close_range, SHIM_GUARD_AGENT + 1u, ~0u, 0u);
    execve(path, arguments, environment); /* with all signals blocked, as it likes them */
    return errno;
}

static pid_t start(const char *path, int socket, int agent, int null, int *error) {
    volatile int child_error = 0;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0) {
        child_error = become_guard(path, socket, agent, null);
        _exit(127);
    }
    *error = pid < 0 ? errno : child_error;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid > 0 && child_error != 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        return -1;
    }
    return pid;
}

pid_t shim_guard_start(const char *path, int *socket, int *error) {
    const struct timeval patience = {.tv_sec = 2};
    int ends[2] = {-1, -1};
    pid_t pid = -1;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int agent = (int)syscall(SYS_pidfd_open, getpid(), 0);

    *error = 0;
    if (null < 0 || agent < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 ||
        setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
        *error = errno;
    else
        pid = start(path, ends[1], agent, null, error);
    if (null >= 0) close(null);
    if (agent >= 0) close(agent);
    if (ends[1] >= 0) close(ends[1]);
    if (pid < 0 && ends[0] >= 0) close(ends[0]);
    if (pid >= 0) *socket = ends[0];
    return pid;
}
