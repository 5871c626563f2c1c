// SPDX-License-Identifier: Apache-2.0
// The least a Swift program can do: what starting the Swift runtime costs on this machine.
print("hello")
