// SPDX-License-Identifier: Apache-2.0

import PluginABI

/// A value as tests write it.
indirect enum TestValue: Equatable, Sendable {
  case unset
  case bool(Bool)
  case int(Int64)
  case float(Double)
  case string(String)
  case strings([String])
  case list([TestValue])
  /// Key, value, key, value, ...
  case map([TestValue])
  case structure([TestValue])

  init(_ value: mgmt_value) {
    let items = { UnsafeBufferPointer(start: value.u.v.at, count: value.u.v.count).map(TestValue.init) }
    switch Int(value.type) {
    case MGMT_BOOL: self = .bool(value.u.i != 0)
    case MGMT_INT: self = .int(value.u.i)
    case MGMT_FLOAT: self = .float(value.u.f)
    case MGMT_STRING: self = .string(String(value.u.s))
    case MGMT_LIST: self = .list(items())
    case MGMT_MAP: self = .map(items())
    case MGMT_STRUCT: self = .structure(items())
    default: self = .unset
    }
  }

  /// The memory is left to the process: tests are short.
  var encoded: mgmt_value {
    func value(_ type: Int, _ content: mgmt_value.__Unnamed_union_u = .init(i: 0)) -> mgmt_value {
      mgmt_value(type: UInt32(type), flags: 0, u: content)
    }
    func sequence(_ type: Int, _ items: [TestValue]) -> mgmt_value {
      let memory = UnsafeMutablePointer<mgmt_value>.allocate(capacity: max(1, items.count))
      for (index, item) in items.enumerated() { (memory + index).initialize(to: item.encoded) }
      return value(type, .init(v: .init(at: UnsafePointer(memory), count: items.count)))
    }
    switch self {
    case .unset: return mgmt_value()
    case .bool(let flag): return value(MGMT_BOOL, .init(i: flag ? 1 : 0))
    case .int(let number): return value(MGMT_INT, .init(i: number))
    case .float(let number): return value(MGMT_FLOAT, .init(f: number))
    case .string(let text): return value(MGMT_STRING, .init(s: copy(text)))
    case .strings(let items): return sequence(MGMT_LIST, items.map(TestValue.string))
    case .list(let items): return sequence(MGMT_LIST, items)
    case .map(let items): return sequence(MGMT_MAP, items)
    case .structure(let items): return sequence(MGMT_STRUCT, items)
    }
  }
}

/// For ever.
func copy(_ text: String) -> mgmt_str {
  let bytes = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, text.utf8.count))
  for (index, byte) in text.utf8.enumerated() { bytes[index] = CChar(bitPattern: byte) }
  return mgmt_str(ptr: bytes, len: text.utf8.count)
}

extension String {
  init(_ text: mgmt_str) {
    let bytes = UnsafeRawBufferPointer(start: text.ptr, count: text.len)
    self = String(decoding: bytes, as: UTF8.self)
  }
}
