/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "shims.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int shim_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int shim_peer(int fd, uid_t *uid, pid_t *pid) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -1;
    *uid = peer.uid;
    *pid = peer.pid;
    return 0;
}

int shim_unix_socket(int type) {
    return socket(AF_UNIX, (type == SHIM_STREAM ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* The size of the address, or 0 and errno. */
static socklen_t fill(struct sockaddr_un *place, const char *address) {
    size_t length = strlen(address);
    memset(place, 0, sizeof *place);
    place->sun_family = AF_UNIX;
    if (length == 0 || length >= sizeof place->sun_path) {
        errno = length ? ENAMETOOLONG : EINVAL;
        return 0;
    }
    memcpy(place->sun_path, address, length);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (address[0] != '@') return size + 1;
    place->sun_path[0] = '\0';
    return size;
}

int shim_unix_bind(int fd, const char *address) {
    struct sockaddr_un place;
    socklen_t size = fill(&place, address);
    return size ? bind(fd, (struct sockaddr *)&place, size) : -1;
}

int shim_unix_connect(int fd, const char *address) {
    struct sockaddr_un place;
    socklen_t size = fill(&place, address);
    return size ? connect(fd, (struct sockaddr *)&place, size) : -1;
}

int shim_unix_send(int fd, const char *address, const void *bytes, size_t count) {
    struct sockaddr_un place;
    socklen_t size = fill(&place, address);
    if (!size) return -1;
    return sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&place, size) < 0 ? -1 : 0;
}
