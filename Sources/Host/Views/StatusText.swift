// SPDX-License-Identifier: Apache-2.0

import Engine
import Observability

/// Where every resource stands, a line each: what `mgmt status` shows too.
enum StatusText {
  static func render(_ all: [ResourceStatus]) -> String {
    guard !all.isEmpty else { return "the graph is empty\n" }
    let renderer = TextStatus()
    let clock = WallClock()
    return String(decoding: all.flatMap { renderer.resource($0, clock) }, as: UTF8.self)
  }

  static func list(_ names: [String], most: Int = 10) -> String {
    let rest = names.count - most
    return names.prefix(most).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}
