/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "foreign_call.h"

#include <stdio.h>

static _Thread_local shim_foreign_call *current;

void shim_enter_foreign(shim_foreign_call *call) {
    call->before = current;
    current = call;
}

void shim_leave_foreign(const shim_foreign_call *call) { current = call->before; }

const shim_foreign_call *shim_current_foreign(void) { return current; }

void shim_line_buffer_stdout(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

void shim_flush_stdout(void) {
    if (ftrylockfile(stdout) != 0) return;
    fflush_unlocked(stdout);
    funlockfile(stdout);
}
