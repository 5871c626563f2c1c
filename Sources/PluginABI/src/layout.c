/* SPDX-License-Identifier: Apache-2.0
 * The layout of ABI version 1, frozen: a build that would change it fails here. */
#include "mgmt/plugin.h"

#include <stdint.h>

#if UINTPTR_MAX == 0xffffffffffffffff
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "ABI 1: size of " #type)
#define FIELD(type, field, at) _Static_assert(offsetof(type, field) == (at), "ABI 1: offset of " #type "." #field)

SIZE(mgmt_str, 16);
SIZE(mgmt_value, 24);
SIZE(mgmt_param, 80);
SIZE(mgmt_uid, 40);
SIZE(mgmt_spawn, 104);
SIZE(mgmt_exit, 32);
SIZE(mgmt_host, 248);
SIZE(mgmt_kind, 240);
SIZE(mgmt_func, 64);
SIZE(mgmt_plugin, 128);

FIELD(mgmt_value, u, 8);
FIELD(mgmt_param, name, 8);
FIELD(mgmt_param, def, 56);
FIELD(mgmt_host, program, 16);
FIELD(mgmt_host, log, 64);
FIELD(mgmt_host, complete, 144);
FIELD(mgmt_host, extension, 224);
FIELD(mgmt_host, send_as, 232);
FIELD(mgmt_host, plugin_dir, 240);
FIELD(mgmt_kind, params, 40);
FIELD(mgmt_kind, open, 80);
FIELD(mgmt_kind, check_apply, 152);
FIELD(mgmt_kind, extension, 216);
FIELD(mgmt_kind, prepare, 224);
FIELD(mgmt_kind, settle, 232);
FIELD(mgmt_plugin, name, 16);
FIELD(mgmt_plugin, kinds, 96);
#endif
