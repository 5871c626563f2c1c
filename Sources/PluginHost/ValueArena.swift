// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Values

/// Memory for values on their way to a plugin: filled, lent for a call, and used again for the next.
final class ValueArena {
  private var blocks: [UnsafeMutableRawBufferPointer] = []
  private var block = 0
  private var used = 0
  private static let blockSize = 1 << 16

  deinit {
    for block in blocks { block.deallocate() }
  }

  /// Lends the values to `body` as an array in the same order.
  func lend<Result>(_ values: [Value], _ body: (UnsafePointer<mgmt_value>?) -> Result) -> Result {
    block = 0
    used = 0
    return body(encode(values))
  }

  private func encode(_ values: [Value]) -> UnsafePointer<mgmt_value>? {
    let memory = allocate(max(1, values.count) * MemoryLayout<mgmt_value>.stride).bindMemory(
      to: mgmt_value.self, capacity: max(1, values.count))
    for (position, value) in values.enumerated() { (memory + position).initialize(to: encode(value)) }
    return UnsafePointer(memory)
  }

  private func encode(_ value: Value) -> mgmt_value {
    switch value {
    case .unset: return mgmt_value()
    case .bool(let flag): return mgmt_value(type: UInt32(MGMT_BOOL), flags: 0, u: .init(i: flag ? 1 : 0))
    case .int(let number): return mgmt_value(type: UInt32(MGMT_INT), flags: 0, u: .init(i: number))
    case .float(let number): return mgmt_value(type: UInt32(MGMT_FLOAT), flags: 0, u: .init(f: number))
    case .string(let text): return mgmt_value(type: UInt32(MGMT_STRING), flags: 0, u: .init(s: encode(text)))
    case .list(let items): return sequence(items, MGMT_LIST)
    case .map(let entries): return sequence(entries.flatMap { [$0.key, $0.value] }, MGMT_MAP)
    case .structure(let fields): return sequence(fields.map(\.value), MGMT_STRUCT)
    }
  }

  private func sequence(_ items: [Value], _ type: Int) -> mgmt_value {
    mgmt_value(type: UInt32(type), flags: 0, u: .init(v: .init(at: encode(items), count: items.count)))
  }

  private func encode(_ text: String) -> mgmt_str {
    var text = text
    return text.withUTF8 { bytes in
      let memory = allocate(bytes.count)
      if let start = bytes.baseAddress { memory.copyMemory(from: start, byteCount: bytes.count) }
      return mgmt_str(ptr: UnsafePointer(memory.assumingMemoryBound(to: CChar.self)), len: bytes.count)
    }
  }

  private func allocate(_ size: Int) -> UnsafeMutableRawPointer {
    let size = (size + 15) & ~15
    while block < blocks.count {
      if used + size <= blocks[block].count, let start = blocks[block].baseAddress {
        defer { used += size }
        return start + used
      }
      block += 1
      used = 0
    }
    let fresh = UnsafeMutableRawBufferPointer.allocate(byteCount: max(Self.blockSize, size), alignment: 16)
    blocks.append(fresh)
    used = size
    return fresh.baseAddress ?? UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
  }
}
