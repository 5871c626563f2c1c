/* SPDX-License-Identifier: Apache-2.0
 * System calls of plugin discovery that Swift cannot call: no glibc function, or variadic. */
#ifndef PLUGIN_SHIMS_H
#define PLUGIN_SHIMS_H

#include <sys/inotify.h>
#include <sys/types.h>

/* Opens a directory by its absolute path; no component may be a symbolic link. Close-on-exec. -1 and errno. */
int shim_open_directory(const char *path);

/* For a process that runs foreign code for a moment: it dies with its parent, dumps no core, writes no file, can gain no
 * privileges, uses at most so many seconds of processor time and lives at most twice as long. */
void shim_confine_process(unsigned int seconds);

#endif
