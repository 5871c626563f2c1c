/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard: the agent's commands end with the agent, however it ends. Children of the agent announce themselves with a pidfd; the agent
 * says when one has ended. When the agent is gone, the guard kills the process groups that are left, and ends.
 *
 * The agent starts it with all signals blocked, in a session of its own, below /, without an environment. */
#define _GNU_SOURCE
#include "guard_shims.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNAL_PROCESS_GROUP 4u /* PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9 */

/* After the agent's end the socket may still be held by a child between fork and exec, or by what a plugin forked. */
enum { PATIENCE_MS = 10000 };

struct group {
    uint64_t number;
    pid_t pid; /* of the leader, and so of the group */
    int pidfd;
};

static struct group *groups;
static size_t count, capacity;

static void add(uint64_t number, pid_t pid, int pidfd) {
    if (count == capacity) {
        size_t larger = capacity == 0 ? 64 : capacity * 2;
        struct group *grown = reallocarray(groups, larger, sizeof *groups);
        if (grown == NULL) {
            close(pidfd);
            return;
        }
        groups = grown;
        capacity = larger;
    }
    groups[count++] = (struct group){number, pid, pidfd};
}

static void release(uint64_t number) {
    for (size_t index = count; index-- > 0;) {
        if (groups[index].number != number) continue;
        close(groups[index].pidfd);
        groups[index] = groups[--count];
        return;
    }
}

/* The group a pidfd's process leads or led. Its number cannot be another's while it has members, so the kernel is asked by pidfd. */
static void kill_group(const struct group *group) {
    if (syscall(SYS_pidfd_send_signal, group->pidfd, SIGKILL, NULL, SIGNAL_PROCESS_GROUP) == 0 || errno != EINVAL) return;
    /* Before Linux 6.9 by number: while the leader is there, or when nobody took the number as his own since. */
    int leader_is_gone = syscall(SYS_pidfd_send_signal, group->pidfd, 0, NULL, 0) != 0 && errno == ESRCH;
    if (leader_is_gone && (kill(group->pid, 0) == 0 || errno != ESRCH)) return;
    kill(-group->pid, SIGKILL);
}

static void kill_all(void) {
    for (size_t index = 0; index < count; index++) {
        kill_group(&groups[index]);
        close(groups[index].pidfd);
    }
    count = 0;
}

static int passed_descriptor(struct msghdr *packet) {
    int pidfd = -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(packet); part != NULL; part = CMSG_NXTHDR(packet, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS && part->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(&pidfd, CMSG_DATA(part), sizeof pidfd);
    }
    return pidfd;
}

/* Takes one packet. 0: all other ends are closed. */
static int receive(void) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    shim_guard_message message;
    struct iovec part = {.iov_base = &message, .iov_len = sizeof message};
    struct msghdr packet = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t length = recvmsg(SHIM_GUARD_SOCKET, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length == 0) return 0;
    int pidfd = passed_descriptor(&packet);
    int is_whole = length == sizeof message;
    if (is_whole && message.what == SHIM_GUARD_WATCH && message.pid > 1 && pidfd >= 0) {
        add(message.number, message.pid, pidfd);
        return 1;
    }
    if (pidfd >= 0) close(pidfd);
    if (is_whole && message.what == SHIM_GUARD_RELEASE) release(message.number);
    return 1;
}

int main(void) {
    const struct rlimit none = {0, 0};
    struct rlimit files;
    sigset_t all;
    struct pollfd waits[2] = {{.fd = SHIM_GUARD_SOCKET, .events = POLLIN}, {.fd = SHIM_GUARD_AGENT, .events = POLLIN}};
    int patience = -1;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setrlimit(RLIMIT_CORE, &none);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* a pidfd for each child */
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    for (;;) {
        int ready = poll(waits, 2, patience);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) break;
        if (waits[0].revents != 0 && !receive()) break;
        if (waits[1].revents != 0) { /* the agent is gone; what is still on its way is killed as it comes */
            waits[1].fd = -1;
            patience = PATIENCE_MS;
        }
        if (patience >= 0) kill_all();
    }
    kill_all();
    return 0;
}
