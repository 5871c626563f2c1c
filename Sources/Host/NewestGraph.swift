// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Observability

/// What the source said last: whether it runs, is on its way, or was refused.
struct NewestGraph {
  /// What the source says is numbered.
  private var number = 0
  /// nil: the newest runs or is on its way.
  private(set) var refusal: RefusedGraph?
  private var refusedNumber = 0

  /// Something new came; its number.
  mutating func came() -> Int {
    number += 1
    return number
  }

  /// The newest was refused, or one before it that was on its way: then the reason of the newest stays.
  mutating func refused(_ diagnostics: [Diagnostic]) {
    let count = (refusal?.count ?? 0) + 1
    if let known = refusal, refusedNumber == number {
      refusal = known
      refusal?.count = count
    } else {
      refusal = diagnostics.first.map { RefusedGraph($0, count: count) }
      refusedNumber = number
    }
  }

  /// A graph runs. One that was on its way when a newer one was refused does not make up for that.
  mutating func started(_ number: Int) {
    if number == self.number { refusal = nil }
  }
}
