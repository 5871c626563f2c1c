// SPDX-License-Identifier: Apache-2.0
// The least a program can do: what starting any process costs on this machine.
#include <stdio.h>

int main(void) { return puts("hello") < 0; }
