/* SPDX-License-Identifier: Apache-2.0
 * What the agent and its guard (Sources/Guard) say to each other, and the agent's side of it. The guard is a program of its own that
 * outlives the agent for a moment: when the agent ends, however it ends, it kills the process groups that were announced to it. */
#ifndef GUARD_SHIMS_H
#define GUARD_SHIMS_H

#include <stdint.h>
#include <sys/types.h>

enum { SHIM_GUARD_SOCKET = 3, SHIM_GUARD_AGENT = 4 }; /* the descriptors it is started with: its socket, and a pidfd of the agent */
enum {
    SHIM_GUARD_WATCH = 1,  /* comes with a pidfd of the group's leader */
    SHIM_GUARD_RELEASE = 2 /* the leader ended while the agent lived: the group is nobody's business any more */
};

/* One packet. `number` is the agent's, never used again. */
typedef struct shim_guard_message {
    uint32_t what;
    int32_t pid;
    uint64_t number;
} shim_guard_message;

/* Starts the guard in a session of its own, below /, with nothing but its two descriptors. Returns its pid and the agent's end of
 * the socket, or -1 and errno in *error. A send to the socket waits for two seconds at most. */
pid_t shim_guard_start(const char *path, int *socket, int *error);

/* 0, or -1 and errno. Do not wait. */
int shim_guard_watch(int socket, uint64_t number, pid_t pid, int pidfd);
int shim_guard_release(int socket, uint64_t number);

/* For a child that borrows its parent's memory, raw system calls only: it announces itself, so that there is no moment in which it
 * lives and nobody knows. May wait for two seconds. 0 or errno. */
int shim_guard_announce(int socket, uint64_t number);

#endif
