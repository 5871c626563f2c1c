// SPDX-License-Identifier: Apache-2.0

public import PluginABI

/// A value on its way to or from the host.
public indirect enum Value: Equatable, Sendable {
  case unset
  case bool(Bool)
  case int(Int64)
  case float(Double)
  case string(String)
  case list([Value])
  case map([(key: Value, value: Value)])
  /// Fields in the order of the type.
  case structure([Value])

  public static func == (a: Value, b: Value) -> Bool {
    switch (a, b) {
    case (.unset, .unset): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.float(let a), .float(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.list(let a), .list(let b)), (.structure(let a), .structure(let b)): a == b
    case (.map(let a), .map(let b)): a.elementsEqual(b) { $0.key == $1.key && $0.value == $1.value }
    default: false
    }
  }

  /// Copies a value of the host.
  public init(_ value: mgmt_value) {
    let items = UnsafeBufferPointer(start: value.u.v.at, count: value.isSequence ? value.u.v.count : 0)
    switch value.type {
    case UInt32(MGMT_BOOL): self = .bool(value.u.i != 0)
    case UInt32(MGMT_INT): self = .int(value.u.i)
    case UInt32(MGMT_FLOAT): self = .float(value.u.f)
    case UInt32(MGMT_STRING): self = .string(String(value.u.s))
    case UInt32(MGMT_LIST): self = .list(items.map(Value.init))
    case UInt32(MGMT_STRUCT): self = .structure(items.map(Value.init))
    case UInt32(MGMT_MAP):
      self = .map(stride(from: 0, to: items.count - 1, by: 2).map { (Value(items[$0]), Value(items[$0 + 1])) })
    default: self = .unset
    }
  }

  /// A borrowed view for the length of `body`.
  public func withABI<Result>(_ body: (mgmt_value) -> Result) -> Result {
    switch self {
    case .unset: body(mgmt_value())
    case .bool(let flag): body(mgmt_value(type: UInt32(MGMT_BOOL), flags: 0, u: .init(i: flag ? 1 : 0)))
    case .int(let number): body(mgmt_value(type: UInt32(MGMT_INT), flags: 0, u: .init(i: number)))
    case .float(let number): body(mgmt_value(type: UInt32(MGMT_FLOAT), flags: 0, u: .init(f: number)))
    case .string(let text): text.withABI { body(mgmt_value(type: UInt32(MGMT_STRING), flags: 0, u: .init(s: $0))) }
    case .list, .structure, .map: withEncoded(body)
    }
  }

  private func withEncoded<Result>(_ body: (mgmt_value) -> Result) -> Result {
    let memory = ValueMemory()
    defer { memory.free() }
    return body(memory.encode(self))
  }

  /// The strings of a list.
  func withStrings(_ body: (UnsafeBufferPointer<mgmt_str>) -> Void) {
    withABI { list in
      let items = UnsafeBufferPointer(start: list.u.v.at, count: list.u.v.count)
      items.map(\.u.s).withUnsafeBufferPointer(body)
    }
  }

  /// For static data: never freed.
  func permanentABI() -> UnsafePointer<mgmt_value> {
    let memory = UnsafeMutablePointer<mgmt_value>.allocate(capacity: 1)
    memory.initialize(to: ValueMemory().encode(self))
    return UnsafePointer(memory)
  }
}

/// Memory of values with others in them. It stays until `free`.
private final class ValueMemory {
  private var blocks: [UnsafeMutableRawPointer] = []

  func encode(_ value: Value) -> mgmt_value {
    switch value {
    case .string(let text): mgmt_value(type: UInt32(MGMT_STRING), flags: 0, u: .init(s: encode(text)))
    case .list(let items): sequence(items, MGMT_LIST)
    case .structure(let items): sequence(items, MGMT_STRUCT)
    case .map(let entries): sequence(entries.flatMap { [$0.key, $0.value] }, MGMT_MAP)
    case .unset, .bool, .int, .float: value.withABI { $0 }
    }
  }

  private func encode(_ text: String) -> mgmt_str {
    text.withABI { text in
      guard let source = text.ptr, text.len > 0 else { return mgmt_str() }
      let memory = UnsafeMutablePointer<CChar>.allocate(capacity: text.len)
      memory.initialize(from: source, count: text.len)
      blocks.append(memory)
      return mgmt_str(ptr: memory, len: text.len)
    }
  }

  private func sequence(_ items: [Value], _ type: Int) -> mgmt_value {
    let memory = UnsafeMutablePointer<mgmt_value>.allocate(capacity: max(1, items.count))
    for (position, item) in items.enumerated() { (memory + position).initialize(to: encode(item)) }
    blocks.append(memory)
    return mgmt_value(type: UInt32(type), flags: 0, u: .init(v: .init(at: memory, count: items.count)))
  }

  func free() {
    for block in blocks { block.deallocate() }
    blocks = []
  }
}

extension mgmt_value {
  var isSequence: Bool {
    type == UInt32(MGMT_LIST) || type == UInt32(MGMT_MAP) || type == UInt32(MGMT_STRUCT)
  }
}
