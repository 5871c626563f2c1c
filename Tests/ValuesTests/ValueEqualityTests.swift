// SPDX-License-Identifier: Apache-2.0

import Testing
import Values

@Suite struct ValueEqualityTests {
  private func map(_ entries: (String, Value)...) -> Value {
    .map(entries.map { .init(key: .string($0.0), value: $0.1) })
  }

  @Test("Maps are equal by content, in whatever order they were written, at any depth")
  func order() {
    let a = map(("x", .int(1)), ("y", .list([map(("p", .bool(true)), ("q", .unset))])))
    let b = map(("y", .list([map(("q", .unset), ("p", .bool(true)))])), ("x", .int(1)))
    #expect(a == b)
    #expect(a.hashValue == b.hashValue)
    #expect(Set([a, b]).count == 1)
  }

  @Test("Other keys, values or counts make them different, and so does a key that is there twice")
  func different() {
    let a = map(("x", .int(1)), ("y", .int(2)))
    for other in [
      map(("x", .int(2)), ("y", .int(1))), map(("x", .int(1))), map(("x", .int(1)), ("z", .int(2))),
      map(("x", .int(1)), ("x", .int(1))), map(("x", .int(1)), ("y", .int(2)), ("z", .int(3))),
    ] {
      #expect(a != other && other != a)
    }
  }

  @Test("Lists and structs keep their order; kinds of values are not mixed up")
  func ordered() {
    #expect(Value.list([.int(1), .int(2)]) != .list([.int(2), .int(1)]))
    let (a, b) = (Value.Field(name: "a", value: .int(1)), Value.Field(name: "b", value: .int(1)))
    #expect(Value.structure([a, b]) != .structure([b, a]))
    #expect(Value.int(1) != .float(1) && Value.bool(false) != .int(0) && Value.unset != .string(""))
  }

  @Test("Not a number is what it was: no news")
  func notANumber() {
    #expect(Value.float(.nan) == .float(.nan))
    #expect(Set([Value.float(.nan), .float(-.nan)]).count == 1)
    #expect(Value.float(0) == .float(-0.0))
  }
}
