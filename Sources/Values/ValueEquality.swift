// SPDX-License-Identifier: Apache-2.0

/// Values are equal by content: the order in which a map was written makes no difference, and "not a number" is the same as itself. What is
/// equal to what was is not news, so nothing is done again for it.
extension Value {
  public static func == (a: Value, b: Value) -> Bool {
    switch (a, b) {
    case (.unset, .unset): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.float(let a), .float(let b)): a == b || a.isNaN && b.isNaN
    case (.string(let a), .string(let b)): a == b
    case (.list(let a), .list(let b)): a == b
    case (.map(let a), .map(let b)): haveSameContent(a, b)
    case (.structure(let a), .structure(let b)): a == b
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .unset: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .int(let value): hasher.combine(value)
    case .float(let value): hasher.combine(value.isNaN ? Double.nan : value)
    case .string(let text): hasher.combine(text)
    case .list(let items): hasher.combine(items)
    case .structure(let fields): hasher.combine(fields)
    case .map(let entries):
      hasher.combine(entries.count)
      // A sum does not depend on the order.
      var sum = 0
      for entry in entries { sum &+= entry.hashValue }
      hasher.combine(sum)
    }
  }

  /// Keys that are there twice are not taken for granted to be absent: values also come from plugins.
  private static func haveSameContent(_ a: [Entry], _ b: [Entry]) -> Bool {
    guard a.count == b.count else { return false }
    if a == b { return true }
    var left: [Entry: Int] = [:]
    for entry in a { left[entry, default: 0] += 1 }
    for entry in b {
      guard let count = left[entry], count > 0 else { return false }
      left[entry] = count - 1
    }
    return true
  }
}
