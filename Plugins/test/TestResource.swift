// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// One `test`, and those it leads.
final class TestResource: Resource {
  private let host: Host
  private let name: String
  private var values: TestValues
  /// Parameters that have received a value.
  private var received: Set<Int> = []
  private var members: [TestResource] = []
  /// The check that waits to fail.
  private var timer: Source?

  init(_ handle: ResourceHandle, host: Host, name: String, values: TestValues) {
    self.host = host
    self.name = name
    self.values = values
    super.init(handle)
  }

  override func close() { members = [] }

  // MARK: checking

  override func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult {
    if flags.contains(.refresh) { handle.log(.info, "received a notification") }
    let all = [self] + members
    for test in all {
      test.handle.log(.info, test.values.line)
      if let failure = test.wrongReceived(in: self) { throw failure }
    }
    let waiting = all.filter { $0.values.int(.waitforerror) > 0 }
    if let first = waiting.min(by: { $0.values.int(.waitforerror) < $1.values.int(.waitforerror) }) {
      try wait(first, call)
      return .pending
    }
    call.send(sent)
    for member in members { call.send(member.sent, as: member.handle) }
    return .ok
  }

  private var sent: [Value] { [.string(values.string(.sendvalue)), .int(42)] }

  /// ` (of test[NAME])` when another leads.
  private func origin(in leader: TestResource) -> String { self === leader ? "" : " (of test[\(name)])" }

  private func wrongReceived(in leader: TestResource) -> Failure? {
    guard values[.expectrecv] != .unset else { return nil }
    let expected = Set(values.strings(.expectrecv))
    guard received.count != expected.count else { return nil }
    let names = received.sorted().compactMap { testDescription.parameters.indices.contains($0) ? $0 : nil }
      .map { testDescription.parameters[$0].name }
    return Failure(
      "\(names.count) parameters received a value (\(names.joined(separator: ", "))), \(expected.count) were expected"
        + origin(in: leader),
      field: "expectrecv", hint: "name those that receive: \(expected.sorted().joined(separator: ", ")) are named")
  }

  private func wait(_ test: TestResource, _ call: Call) throws(Failure) {
    let time = test.values.int(.waitforerror)
    let failure = Failure(
      "it was asked to fail after \(time) ms" + test.origin(in: self), field: "waitforerror", hint: "leave waitforerror out")
    timer = try host.addTimer(first: UInt64(clamping: time)) { [self] in
      stopTimer()
      call.complete(.failure(failure))
    }
  }

  override func cancel(_ call: Call) {
    guard timer != nil else { return }
    stopTimer()
    call.complete(.failure(.cancelled))
  }

  private func stopTimer() {
    timer?.delete()
    timer = nil
  }

  // MARK: what the engine asks

  override func update(_ parameters: Parameters, changed: ChangedParameters) throws(Failure) -> UpdateResult {
    values = TestValues(parameters)
    received.formUnion(changed.positions)
    return .updated
  }

  override func isSame(as other: Resource) -> Bool {
    guard let other = other as? TestResource else { return false }
    return !values.isTrue(.comparefail) && !other.values.isTrue(.comparefail) && values == other.values
  }

  override func mayGroup(_ member: Resource) -> Bool { values.isTrue(.alwaysgroup) }

  override func group(_ member: Resource) throws(Failure) {
    guard let member = member as? TestResource else { throw Failure("only tests can be grouped with a test") }
    members.append(member)
  }

  /// There is nothing on the machine to undo. So that reversal can be tried, the reverse of a test is the test with `str` and
  /// `anotherstr` exchanged and a comment that says what it is; `expectrecv` is left out, as a reversal has no edges.
  override func reverse(_ sink: ReversalSink) throws(Failure) {
    var reversed = values
    (reversed[.str], reversed[.anotherstr]) = (values[.anotherstr], values[.str])
    reversed[.comment] = .string("reversal of \(name)")
    reversed[.expectrecv] = .unset
    sink.put(kind: "test", name: name, parameters: reversed.set)
  }
}
