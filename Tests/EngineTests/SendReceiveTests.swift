// SPDX-License-Identifier: Apache-2.0

import Graph
import Testing
import Values

@testable import Engine

/// §8 of the specification: values that one resource sends and others receive.
@Suite struct SendReceiveTests {
  private let link = [Arrow.send("s", "text", "r", "text")]

  /// The parameters of the instance that runs.
  private func parameters(_ bench: Bench, _ name: String) -> [Value] { bench.factory.watched[name]?.parameters ?? [] }

  /// Has the sender send another value.
  private func send(_ bench: Bench, _ value: Value, field: Int = 0) {
    bench.factory.script("s") {
      $0.sends = { values in
        var values = values
        values[field] = value
        return values
      }
    }
    bench.factory.event("s")
  }

  @Test("§8 Declaration: types are looked at before anything runs")
  func declaration() throws {
    let bench = try Bench()
    bench.apply([thing("s"), thing("r")], [.send("s", "number", "r", "text")])
    #expect(bench.failures == ["transfer.type"])
    bench.apply([thing("s"), thing("r")], [.send("s", "nothing", "r", "text")])
    bench.apply([thing("s"), thing("r")], [.send("s", "text", "r", "nothing")])
    #expect(bench.failures == ["transfer.type", "transfer.field", "transfer.parameter"])
    #expect(bench.take() == [])
  }

  @Test("§8 Send: by every check that succeeds, also when all was right, and in noop")
  func send() throws {
    for end in [FakeFactory.End.ok, .changed, .differs] {
      let bench = try Bench()
      bench.factory.script("s") { $0.always = end }
      bench.apply([thing("s", text: "sent") { $0.noop = end == .differs }, thing("r")], link)
      try bench.settle()
      #expect(bench.take("check", "update").last == "check r")
      #expect(parameters(bench, "r").first == .string("sent"))
    }
  }

  @Test("§8 Reading nil: what was never sent is a failure of the receiver")
  func nothingSent() throws {
    let bench = try Bench()
    bench.factory.script("s") { $0.sends = { _ in nil } }
    bench.apply([thing("s"), thing("r")], link)
    try bench.settle()
    #expect(bench.status("r")?.failure?.title == "received nil value from: thing[s]")
    #expect(bench.take("check") == ["check s"])
    #expect(bench.convergence == ["stalled"])
  }

  @Test("§8 Transfer: what is equal is not handed on; what differs is, and the receiver is dirty, edge that notifies or not")
  func transfer() throws {
    let bench = try Bench()
    try bench.start([thing("s", text: "sent"), thing("r")], link)
    bench.factory.event("s")
    try bench.settle()
    #expect(bench.take("check", "update") == ["check s"])
    send(bench, .string("other"))
    try bench.settle()
    #expect(bench.take("check", "update") == ["check s", "update r text", "check r"])
    #expect(parameters(bench, "r").first == .string("other"))
    let received = bench.events.compactMap { event -> String? in
      guard case .received(let from, let field, let to, let parameter) = event else { return nil }
      return "\(from).\(field) -> \(to).\(parameter)"
    }
    #expect(received == ["thing[s].text -> thing[r].text"])
  }

  @Test("§8 Transfer: the check that follows is one, however many values came")
  func oneCheck() throws {
    let bench = try Bench()
    bench.apply(
      [thing("s", text: "sent", number: 7), thing("r")],
      [.send("s", "text", "r", "text"), .send("s", "number", "r", "number")])
    try bench.settle()
    #expect(bench.take("check", "update") == ["check s", "update r text,number", "check r"])
  }

  @Test("§8 Transfer: a value that comes while the receiver is checked is not lost")
  func whileRunning() throws {
    let bench = try Bench()
    try bench.start([thing("s", text: "one"), thing("r")], link)
    bench.factory.script("r") { $0.ends = [.held] }
    bench.factory.event("r")
    try bench.await("check r")
    send(bench, .string("two"))
    try bench.await("end s ok")
    bench.factory.finish("r")
    try bench.settle()
    #expect(bench.take("check", "update") == ["check r", "check s", "update r text", "check r"])
  }

  @Test("§8 Changed: sticky until a check has succeeded")
  func sticky() throws {
    let bench = try Bench()
    bench.factory.script("r") { $0.ends = [.failed, .failed, .ok] }
    bench.apply([thing("s", text: "sent"), thing("r") { ($0.retry, $0.delay) = (5, 1) }], link)
    try bench.settle()
    #expect(bench.take("update") == Array(repeating: "update r text", count: 3))
  }

  @Test("§8 Changed: the first value counts as changed, also when the graph had the same (see differences)")
  func firstValue() throws {
    let bench = try Bench()
    bench.apply([thing("s", text: "same"), thing("r", text: "same")], link)
    try bench.settle()
    #expect(bench.take("update") == ["update r text"])
    bench.factory.event("s")
    bench.factory.event("r")
    try bench.settle()
    #expect(bench.take("update") == [])
  }

  @Test("§8 Sender lookup: also members of groups; a hidden twin is not meant")
  func lookup() throws {
    let bench = try Bench()
    bench.apply(
      [
        thing("s", kind: "group", text: "leader"), thing("t", kind: "group", text: "member"), thing("r"),
        thing("t", kind: "group", text: "twin") { $0.hidden = true },
      ],
      [.send("t", "text", "r", "text")])
    try bench.settle()
    #expect(bench.status("t")?.leader?.name == "s")
    #expect(parameters(bench, "r").first == .string("member"))
  }

  @Test("§8 Receiver: what is received lies over what the graph has; without the edge that is back")
  func overStatic() throws {
    let bench = try Bench()
    let graph = [thing("s", text: "sent"), thing("r", text: "static", number: 3)]
    try bench.start(graph, link)
    #expect(parameters(bench, "r").prefix(2) == [.string("sent"), .int(3)])
    try bench.start(graph, [.order("s", "r")])
    #expect(parameters(bench, "r").prefix(2) == [.string("static"), .int(3)])
  }

  @Test("§8 Receiver: one that is new gets what a sender that stays has sent already")
  func newReceiver() throws {
    let bench = try Bench()
    try bench.start([thing("s", text: "sent")])
    bench.apply([thing("s", text: "sent"), thing("r")], link)
    try bench.settle()
    #expect(bench.take("check", "update") == ["update r text", "check r"])
  }

  @Test("§8 Receiver: one that changes gets it again; one that stays hears of a sender that changes")
  func changedEnds() throws {
    let bench = try Bench()
    try bench.start([thing("s", text: "sent"), thing("r")], link)
    bench.apply([thing("s", text: "sent"), thing("r", number: 5)], link)
    try bench.settle()
    #expect(bench.take("update", "check") == ["update r text", "check r"])
    #expect(parameters(bench, "r").prefix(2) == [.string("sent"), .int(5)])
    bench.apply([thing("s", text: "other"), thing("r", number: 5)], link)
    try bench.settle()
    #expect(bench.take("make", "check", "update") == ["make s", "check s", "update r text", "check r"])
  }

  // MARK: Values that cannot be

  @Test("§8 Type: a value of another type than the parameter is a failure of the receiver; a good one mends it")
  func wrongType() throws {
    let bench = try Bench()
    bench.apply([thing("s", any: .int(3)), thing("r")], [.send("s", "any", "r", "text")])
    try bench.settle()
    #expect(bench.failures == ["receive.type"])
    #expect(bench.take("update", "check") == ["check s"])
    #expect(bench.status("r")?.failure?.notes == ["it was sent as any by thing[s]"])
    send(bench, .string("good"), field: 3)
    try bench.settle()
    #expect(bench.take("update", "check") == ["check s", "update r text", "check r"])
    #expect(bench.phase("r") == .ok)
  }

  @Test("§8 Type: a value that is none of the choices is refused")
  func wrongChoice() throws {
    let bench = try Bench()
    bench.apply([thing("s", text: "z"), thing("r")], [.send("s", "text", "r", "choice")])
    try bench.settle()
    #expect(bench.failures == ["receive.type"])
    send(bench, .string("y"))
    try bench.settle()
    #expect(bench.phase("r") == .ok)
  }

  @Test("§8 Validate: what the kind refuses is a failure, tried again at the next event and not taken over meanwhile")
  func refusedByValidation() throws {
    let bench = try Bench()
    bench.factory.script("r") { $0.isInvalid = { $0[0] == .string("bad") } }
    try bench.start([thing("s", text: "good"), thing("r")], link)
    send(bench, .string("bad"))
    try bench.settle()
    #expect(bench.failures == ["test.invalid"])
    #expect(parameters(bench, "r").first == .string("good"))
    #expect(bench.take("update", "check") == ["check s"])
    bench.factory.event("r")
    try bench.settle()
    #expect(bench.failures == ["test.invalid", "test.invalid"])
    bench.factory.script("r") { $0.isInvalid = { _ in false } }
    bench.factory.event("r")
    try bench.settle()
    #expect(parameters(bench, "r").first == .string("bad"))
    #expect(bench.phase("r") == .ok)
  }

  @Test("§8 Validate: what the instance refuses is a failure too")
  func refusedByUpdate() throws {
    let bench = try Bench()
    bench.factory.script("r") { $0.updates = [.refused] }
    bench.apply([thing("s", text: "sent"), thing("r") { ($0.retry, $0.delay) = (1, 1) }], link)
    try bench.settle()
    #expect(bench.failures == ["test.update"])
    #expect(bench.take("update", "check") == ["check s", "update r text", "update r text", "check r"])
  }

  // MARK: Instances that cannot change

  @Test("§8 An instance that cannot take new values gives way to another, which is watched before it is checked")
  func recreate() throws {
    let bench = try Bench()
    bench.factory.script("r") { $0.updates = [.recreate] }
    bench.apply([thing("s", text: "sent"), thing("r")], link)
    try bench.settle()
    #expect(
      bench.take().filter { !$0.hasSuffix(" s") && !$0.hasPrefix("end") } == [
        "make r", "watch r", "update r text", "unwatch r", "destroy r", "make r", "watch r", "update r text", "check r",
      ])
    #expect(parameters(bench, "r").first == .string("sent"))
  }

  @Test("§8 A member that cannot take new values: the whole group is made anew")
  func recreateGroup() throws {
    let bench = try Bench()
    bench.factory.script("m") { $0.updates = [.recreate] }
    bench.apply(
      [thing("s", text: "sent"), thing("a", kind: "group"), thing("m", kind: "group")], [.send("s", "text", "m", "text")])
    try bench.settle()
    #expect(bench.take("make", "lead", "check").suffix(5) == ["check s", "make a", "make m", "lead a m", "check a"])
    #expect(bench.factory.made - bench.factory.destroyed == 3)
  }

  @Test("§8 One that cannot be made anew has failed, and is tried again as a whole", arguments: ["a", "m"])
  func recreateFails(name: String) throws {
    let bench = try Bench()
    let graph = [thing("s", text: "one")] + ["a", "m"].map { thing($0, kind: "group") { ($0.retry, $0.delay) = (1, 1) } }
    try bench.start(graph, [.send("s", "text", "m", "text")])
    bench.factory.script("m") { $0.updates = [.recreate] }
    bench.factory.script(name) { $0.makeFailures = 1 }
    send(bench, .string("two"))
    try bench.settle()
    #expect(bench.failures == ["test.make"])
    #expect(bench.take("watch", "lead", "check") == ["check s", "lead a m", "watch a", "check a"])
    #expect(bench.phase("a") == .ok)
    bench.engine.end()
    #expect(bench.factory.made == bench.factory.destroyed)
    #expect(bench.factory.violations == [])
  }

  @Test("§8 One whose members cannot be led again has failed, and is tried again as a whole")
  func leadFails() throws {
    let bench = try Bench()
    let graph = [thing("s", text: "one")] + ["a", "m"].map { thing($0, kind: "group") { ($0.retry, $0.delay) = (1, 1) } }
    try bench.start(graph, [.send("s", "text", "m", "text")])
    bench.factory.script("m") { $0.updates = [.recreate] }
    bench.factory.script("a") { $0.leadFailures = 1 }
    send(bench, .string("two"))
    try bench.settle()
    #expect(bench.failures == ["test.lead"])
    #expect(bench.take("watch", "lead", "check") == ["check s", "lead a m", "watch a", "check a"])
    bench.engine.end()
    #expect(bench.factory.made == bench.factory.destroyed)
  }
}

// Rows not here, see docs/differences.md: pointers and interfaces; pre-fill without the changed flag.
