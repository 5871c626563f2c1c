// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing
import Values

/// One test for each meta parameter, named after it: its type, its default, and what it accepts and refuses.
@Suite("Meta parameters")
struct MetaSchemaTests {
  /// What `value` reads after each of `values` was set.
  private func set<Result>(
    _ name: String, _ values: [Value], _ value: (MetaParameters) -> Result
  ) throws -> [Result] {
    try values.map {
      var meta = MetaParameters()
      try meta.set(name, to: $0)
      return value(meta)
    }
  }

  /// Whether each of `values` is refused, with the name and a hint, and changes nothing.
  private func refuses(_ name: String, _ values: [Value], sourceLocation: SourceLocation = #_sourceLocation) {
    for value in values {
      var meta = MetaParameters()
      let problem = #expect(throws: MetaParameters.Problem.self, sourceLocation: sourceLocation) {
        try meta.set(name, to: value)
      }
      #expect(problem?.name == name, sourceLocation: sourceLocation)
      #expect(problem?.message.isEmpty == false && problem?.hint.isEmpty == false, sourceLocation: sourceLocation)
      #expect(meta == MetaParameters(), sourceLocation: sourceLocation)
    }
  }

  private func type(of name: String) -> String? { MetaParameters.schema.first { $0.name == name }?.type.description }

  private func checkFlag(
    _ name: String, default value: Bool = false, _ path: KeyPath<MetaParameters, Bool>,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(type(of: name) == "bool", sourceLocation: sourceLocation)
    #expect(MetaParameters()[keyPath: path] == value, sourceLocation: sourceLocation)
    #expect(
      try set(name, [.bool(true), .bool(false)]) { $0[keyPath: path] } == [true, false], sourceLocation: sourceLocation)
    refuses(name, [.int(1), .string("true"), .unset, .list([.bool(true)])], sourceLocation: sourceLocation)
  }

  @Test("noop") func noop() throws { try checkFlag("noop", \.noop) }

  @Test("retry") func retry() throws {
    #expect(type(of: "retry") == "int")
    #expect(MetaParameters().retry == 0)
    #expect(try set("retry", [.int(-1), .int(0), .int(32_767)], \.retry) == [-1, 0, 32_767])
    refuses("retry", [.int(-2), .int(32_768), .int(.min), .int(.max), .float(1), .string("1"), .bool(true)])
  }

  @Test("retryreset") func retryReset() throws { try checkFlag("retryreset", \.retryReset) }

  @Test("delay") func delay() throws {
    #expect(type(of: "delay") == "int")
    #expect(MetaParameters().delay == 0)
    #expect(try set("delay", [.int(0), .int(1), .int(.max / 1_000_000)], \.delay) == [0, 1, 9_223_372_036_854])
    refuses("delay", [.int(-1), .int(.max), .float(0.5), .string("1s")])
  }

  @Test("timeout") func timeout() throws {
    #expect(type(of: "timeout") == "int")
    #expect(MetaParameters().timeout == 0)
    #expect(try set("timeout", [.int(0), .int(30_000)], \.timeout) == [0, 30_000])
    refuses("timeout", [.int(-1), .int(.max), .float(0.5), .string("1s")])
  }

  @Test("poll") func poll() throws {
    #expect(type(of: "poll") == "int")
    #expect(MetaParameters().poll == 0)
    #expect(
      try set("poll", [.int(-2_147_483_648), .int(-1), .int(2_147_483_647)], \.poll) == [.min, -1, .max])
    refuses("poll", [.int(2_147_483_648), .int(-2_147_483_649), .float(1)])
  }

  @Test("limit") func limit() throws {
    #expect(type(of: "limit") == "float")
    #expect(MetaParameters().limit == .infinity)
    #expect(try set("limit", [.float(0.001), .float(.infinity)], \.limit) == [0.001, .infinity])
    refuses("limit", [.float(0), .float(-0.0), .float(-1), .float(.nan), .float(-.infinity), .string("1")])
  }

  @Test("burst") func burst() throws {
    #expect(type(of: "burst") == "int")
    #expect(MetaParameters().burst == 0)
    #expect(try set("burst", [.int(0), .int(2_147_483_647)], \.burst) == [0, 2_147_483_647])
    refuses("burst", [.int(-1), .int(2_147_483_648), .float(1)])
    var meta = MetaParameters()
    meta.limit = 2
    #expect(meta.problem?.name == "limit")
    meta.burst = 1
    #expect(meta.problem == nil)
    meta = MetaParameters()
    meta.burst = 3
    #expect(meta.problem == nil)
  }

  @Test("reset") func reset() throws { try checkFlag("reset", \.reset) }

  @Test("sema") func sema() throws {
    #expect(type(of: "sema") == "[]str")
    #expect(MetaParameters().semaphores == [])
    let ids = ["b", "a:2", ":3", "b:1", "x:y:0"]
    #expect(try set("sema", [.list(ids.map(Value.string)), .list([])], \.semaphores) == [ids, []])
    #expect(try set("sema", [.list([.string("a"), .string("b"), .string("a")])], \.semaphores) == [["a", "b"]])
    refuses("sema", ["", "0", "3", "-3", "+3"].map { .list([.string("a"), .string($0)]) })
    refuses("sema", [.string("a"), .list([.int(1)]), .list([.unset])])
  }

  @Test("rewatch") func rewatch() throws { try checkFlag("rewatch", \.rewatch) }

  @Test("realize") func realize() throws { try checkFlag("realize", \.realize) }

  @Test("dollar") func dollar() throws { try checkFlag("dollar", \.dollar) }

  @Test("hidden") func hidden() throws { try checkFlag("hidden", \.hidden) }

  @Test("export") func export() throws {
    #expect(type(of: "export") == "[]str")
    #expect(MetaParameters().export == [])
    #expect(try set("export", [.list([.string("h1"), .string("*"), .string("h1")])], \.export) == [["h1", "*"]])
    refuses("export", [.list([.string("h1"), .string("")]), .string("*"), .list([.int(1)])])
  }

  @Test("reverse") func reverse() throws { try checkFlag("reverse", \.reverse) }

  @Test("autoedge") func autoEdge() throws { try checkFlag("autoedge", default: true, \.autoEdge) }

  @Test("secret") func secret() throws {
    #expect(type(of: "secret") == "[]str")
    #expect(MetaParameters().secret == [])
    let names = [Value.string("cmd"), .string("output"), .string("cmd")]
    #expect(try set("secret", [.list([]), .list(names)], \.secret) == [[], ["cmd", "output"]])
    refuses("secret", [.list([.string("")]), .list([.int(1)]), .string("cmd"), .bool(true)])
  }

  @Test("autogroup") func autoGroup() throws { try checkFlag("autogroup", default: true, \.autoGroup) }

  @Test("defaults of the schema are those of a resource that gives none")
  func defaults() throws {
    for parameter in MetaParameters.schema {
      var meta = MetaParameters()
      try meta.set(parameter.name, to: parameter.defaultValue)
      #expect(meta == MetaParameters(), "\(parameter.name)")
    }
  }

  @Test("names are those of the language, in the order of its struct, and then secret")
  func names() {
    #expect(
      MetaParameters.schema.map(\.name) == [
        "noop", "retry", "retryreset", "delay", "timeout", "poll", "limit", "burst", "reset", "sema", "rewatch", "realize",
        "dollar", "hidden", "export", "reverse", "autoedge", "autogroup", "secret",
      ])
    #expect(MetaParameters.schema.allSatisfy { !$0.documentation.isEmpty && !$0.documentation.contains("|") })
    var meta = MetaParameters()
    #expect(throws: MetaParameters.Problem.self) { try meta.set("nope", to: .bool(true)) }
    #expect(throws: MetaParameters.Problem.self) { try meta.set("Noop", to: .bool(true)) }
  }
}
