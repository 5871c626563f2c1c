/* SPDX-License-Identifier: Apache-2.0
 * System calls Swift does not see: they are GNU extensions. */
#ifndef OBSERVABILITY_SHIMS_H
#define OBSERVABILITY_SHIMS_H

#include <stddef.h>
#include <sys/types.h>

/* The next connection of a listening socket, non-blocking and close-on-exec; -1 and errno. */
int shim_accept(int fd);

/* The user and process at the other end of a connected Unix socket, as they were when it connected; -1 and errno. */
int shim_peer(int fd, uid_t *uid, pid_t *pid);

enum { SHIM_STREAM, SHIM_DATAGRAM };
/* A Unix socket, non-blocking and close-on-exec; -1 and errno. */
int shim_unix_socket(int type);

/* Bind, connect and send to a Unix address; one that begins with '@' is an abstract name. -1 and errno, ENAMETOOLONG when the address
 * does not fit. */
int shim_unix_bind(int fd, const char *address);
int shim_unix_connect(int fd, const char *address);
int shim_unix_send(int fd, const char *address, const void *bytes, size_t count);

#endif
