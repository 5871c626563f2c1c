/* SPDX-License-Identifier: Apache-2.0
 * What of a plugin's code a thread is running. Plain memory of the thread, so that it can also be read where nothing may be
 * allocated. */
#ifndef FOREIGN_CALL_H
#define FOREIGN_CALL_H

#include <stddef.h>

typedef struct shim_foreign_call {
    const char *plugin; /* its name, with a NUL */
    const char *method; /* with a NUL */
    const char *kind;   /* of the resource; not terminated */
    size_t kind_length;
    const char *name;
    size_t name_length;
    struct shim_foreign_call *before; /* calls nest: a plugin calls the host, which calls a plugin */
} shim_foreign_call;

/* `call` is borrowed until it is left. */
void shim_enter_foreign(shim_foreign_call *call);
void shim_leave_foreign(const shim_foreign_call *call);
/* The innermost call of this thread, or NULL. */
const shim_foreign_call *shim_current_foreign(void);

/* Standard output as stdio knows it, which all of the process shares: its lines are written when they end. */
void shim_line_buffer_stdout(void);
/* Writes what stdio holds back; not when another thread is in the middle of printing. */
void shim_flush_stdout(void);

#endif
