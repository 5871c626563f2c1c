/* SPDX-License-Identifier: Apache-2.0
 * System calls and constants Swift does not see: they are GNU extensions, or glibc has no function for them. */
#ifndef FILE_SHIMS_H
#define FILE_SHIMS_H

#include <stdint.h>
#include <sys/types.h>

/* O_PATH, which Swift's view of <fcntl.h> leaves out. */
extern const int shim_o_path;

/* Opens the directory `name` in `parent` for reading. Not through a symbolic link, and never one that another file system is
 * mounted on (then EXDEV). Kernels before 5.6: the same without seeing bind mounts. */
int shim_open_subdirectory(int parent, const char *name);

/* 1: `path` lies on a file system that is known to be local; 0: on another, or it cannot be told. */
int shim_is_local(const char *path);

/* Copies up to `count` bytes at the file positions of both, inside the kernel. 0 at the end of `from`; -1 and errno: EXDEV,
 * EINVAL, ENOSYS or EOPNOTSUPP when it must be done by reading and writing. */
ssize_t shim_copy_range(int from, int to, size_t count);

/* What a descriptor holds, also one opened with O_PATH: neither the name it had nor what took its place since. O_PATH needs
 * /proc for attributes, and below Linux 6.6 for modes. Sizes and errors of attributes as in fgetxattr(2). */
int shim_held_chown(int fd, uid_t owner, gid_t group);
int shim_held_chmod(int fd, mode_t mode);
ssize_t shim_held_get_attribute(int fd, const char *name, void *value, size_t size);
int shim_held_set_attribute(int fd, const char *name, const void *value, size_t size);
int shim_held_remove_attribute(int fd, const char *name);
/* Another descriptor of it, with rights. ENOENT without /proc. */
int shim_held_open(int fd, int flags);

/* syncfs(2), which the module of the C library leaves out. */
int shim_syncfs(int fd);

/* An extended attribute of `path`, which is not followed if it is a symbolic link. */
ssize_t shim_get_attribute(const char *path, const char *name, void *value, size_t size);

#endif
