/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "shims.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

const int shim_o_path = O_PATH;

int shim_open_subdirectory(int parent, const char *name) {
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    struct open_how how = {
        .flags = flags, .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH};
    long opened = syscall(SYS_openat2, parent, name, &how, sizeof how);
    /* EPERM: a container's filter of system calls does not know it. */
    if (opened >= 0 || (errno != ENOSYS && errno != EPERM)) return (int)opened;
    struct stat above, below;
    int fd = openat(parent, name, flags);
    if (fd < 0) return -1;
    if (fstat(parent, &above) == 0 && fstat(fd, &below) == 0 && above.st_dev == below.st_dev) return fd;
    close(fd);
    errno = EXDEV;
    return -1;
}

ssize_t shim_copy_range(int from, int to, size_t count) { return copy_file_range(from, NULL, to, NULL, count, 0); }

int shim_syncfs(int fd) { return syncfs(fd); }

ssize_t shim_get_attribute(const char *path, const char *name, void *value, size_t size) {
    return lgetxattr(path, name, value, size);
}

enum { PROC_PATH = 40 };

static const char *proc_path(char *text, int fd) {
    snprintf(text, PROC_PATH, "/proc/self/fd/%d", fd);
    return text;
}

int shim_held_chown(int fd, uid_t owner, gid_t group) { return fchownat(fd, "", owner, group, AT_EMPTY_PATH); }

int shim_held_chmod(int fd, mode_t mode) {
    if (fchmod(fd, mode) == 0) return 0;
    if (errno != EBADF) return -1;
#ifdef SYS_fchmodat2
    if (syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0) return 0;
    /* EPERM: a container's filter of system calls may not know it. */
    if (errno != ENOSYS && errno != EPERM) return -1;
#endif
    char text[PROC_PATH];
    return chmod(proc_path(text, fd), mode);
}

ssize_t shim_held_get_attribute(int fd, const char *name, void *value, size_t size) {
    ssize_t count = fgetxattr(fd, name, value, size);
    if (count >= 0 || errno != EBADF) return count;
    char text[PROC_PATH];
    return getxattr(proc_path(text, fd), name, value, size);
}

int shim_held_set_attribute(int fd, const char *name, const void *value, size_t size) {
    if (fsetxattr(fd, name, value, size, 0) == 0) return 0;
    if (errno != EBADF) return -1;
    char text[PROC_PATH];
    return setxattr(proc_path(text, fd), name, value, size, 0);
}

int shim_held_remove_attribute(int fd, const char *name) {
    if (fremovexattr(fd, name) == 0) return 0;
    if (errno != EBADF) return -1;
    char text[PROC_PATH];
    return removexattr(proc_path(text, fd), name);
}

int shim_held_open(int fd, int flags) {
    char text[PROC_PATH];
    return open(proc_path(text, fd), flags);
}

int shim_is_local(const char *path) {
    static const unsigned long local[] = {
        0xEF53, /* ext4 */ 0x58465342, /* xfs */ 0x9123683E, /* btrfs */ 0x01021994, /* tmpfs */ 0x858458F6, /* ramfs */
        0x794C7630, /* overlayfs */ 0xF2F52010, /* f2fs */ 0x2FC12FC1, /* zfs */ 0xCA451A4E, /* bcachefs */
    };
    struct statfs found;
    if (statfs(path, &found) != 0) return 0;
    for (size_t index = 0; index < sizeof local / sizeof local[0]; index++)
        if (((unsigned long)found.f_type & 0xFFFFFFFFul) == local[index]) return 1;
    return 0;
}
