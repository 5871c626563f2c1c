// SPDX-License-Identifier: Apache-2.0

// libFuzzer: the decoder of plugin descriptors, whose input comes from a process that ran foreign code. What it accepts must come
// out the same when it is encoded and decoded again. From the top of the tree, with B a directory for what is built:
//
//     swiftc -O -wmo -sanitize=fuzzer,address -parse-as-library -emit-module -emit-module-path $B/Values.swiftmodule \
//       -module-name Values -c Sources/Values/*.swift -o $B/Values.o
//     swiftc -O -wmo -sanitize=fuzzer,address -parse-as-library -module-name DescriptorFuzz -I $B -I Sources/PluginABI/include \
//       Sources/PluginHost/{PluginDescriptor,DescriptorRules,DescriptorEncoding,ByteCoding}.swift Tests/Fuzz/descriptor.swift \
//       $B/Values.o -o $B/descriptor-fuzz
//     mkdir -p $B/corpus && $B/descriptor-fuzz -max_total_time=60 $B/corpus

import Values

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDescriptor(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  guard let descriptor = try? PluginDescriptor(decoding: bytes) else { return 0 }
  let again = try? PluginDescriptor(decoding: descriptor.encoded)
  precondition(again == descriptor, "a descriptor does not survive its encoding")
  return 0
}
