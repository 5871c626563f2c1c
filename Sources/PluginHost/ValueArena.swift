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

extension mgmt_value {
  private var isSecret: Bool { flags & UInt32(MGMT_VALUE_SECRET) != 0 }

  private var items: UnsafeBufferPointer<mgmt_value> {
    let isContainer = [MGMT_LIST, MGMT_MAP, MGMT_STRUCT].contains(Int(type))
    guard isContainer, u.v.at != nil, u.v.count <= Value.maximumItems else { return .init(start: nil, count: 0) }
    return .init(start: u.v.at, count: u.v.count)
  }

  /// It, or something in it, is marked as secret.
  func holdsSecret(depth: Int = 0) -> Bool {
    isSecret || (depth < Value.maximumDepth && items.contains { $0.holdsSecret(depth: depth + 1) })
  }

  /// Of a struct that is sent, the fields that hold secrets.
  var secretFields: Set<Int> {
    Set(items.enumerated().filter { isSecret || $0.element.holdsSecret(depth: 1) }.map(\.offset))
  }
}

extension Value {
  fileprivate static let maximumDepth = 32
  fileprivate static let maximumItems = 1 << 20

  /// Copies a value a plugin gave. nil: of an unknown type, nested too deeply or too long. `masksSecrets`: for people to see, without
  /// what the plugin marked as secret.
  init?(foreign value: mgmt_value, masksSecrets: Bool = false, depth: Int = 0) {
    if masksSecrets, value.flags & UInt32(MGMT_VALUE_SECRET) != 0, Int(value.type) != MGMT_UNSET {
      self = .string("(secret)")
      return
    }
    func items() -> [Value]? {
      guard depth < Self.maximumDepth, value.u.v.count <= Self.maximumItems else { return nil }
      var items: [Value] = []
      for item in UnsafeBufferPointer(start: value.u.v.at, count: value.u.v.at == nil ? 0 : value.u.v.count) {
        guard let copy = Value(foreign: item, masksSecrets: masksSecrets, depth: depth + 1) else { return nil }
        items.append(copy)
      }
      return items
    }
    switch Int(value.type) {
    case MGMT_UNSET: self = .unset
    case MGMT_BOOL: self = .bool(value.u.i != 0)
    case MGMT_INT: self = .int(value.u.i)
    case MGMT_FLOAT: self = .float(value.u.f)
    case MGMT_STRING: self = .string(String(foreign: value.u.s, limit: Self.maximumItems))
    case MGMT_LIST:
      guard let items = items() else { return nil }
      self = .list(items)
    case MGMT_STRUCT:
      guard let items = items() else { return nil }
      self = .structure(items.enumerated().map { Field(name: String($0.offset), value: $0.element) })
    case MGMT_MAP:
      guard let items = items(), items.count.isMultiple(of: 2) else { return nil }
      self = .map(stride(from: 0, to: items.count, by: 2).map { Entry(key: items[$0], value: items[$0 + 1]) })
    default: return nil
    }
  }
}
