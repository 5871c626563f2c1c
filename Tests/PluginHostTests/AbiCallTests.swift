// SPDX-License-Identifier: Apache-2.0

import Engine
import Glibc
import PluginABI
import Synchronization
import Testing
import Values

@testable import PluginHost

extension Abi {
  /// Checks: how they end, and what may go wrong with that.
  @Suite struct Calls {
    let bridge: Bridge
    var script: PluginScript { bridge.script }

    init() throws { bridge = try Bridge() }

    @Test(
      "a status is an outcome",
      arguments: [
        (MGMT_OK, true, "ok"), (MGMT_CHANGED, true, "changed"), (MGMT_DIFFERS, false, "differs"),
        (MGMT_FAILED, true, "failed: the plugin failed without saying why"),
        (MGMT_UNSUPPORTED, true, "failed: this cannot be done on this machine"),
        (MGMT_CANCELLED, true, "failed: the plugin gave up without being asked to"),
        (MGMT_DIFFERS, true, "failed: the plugin found a difference and did not mend it"),
        (MGMT_CHANGED, false, "differs"), (99, true, "failed: the plugin answered the unknown status 99"),
        (MGMT_RECREATE, true, "failed: the plugin answered the unknown status 4"),
      ])
    func statuses(_ status: Int, _ apply: Bool, _ expected: String) throws {
      script.check = { _, _, _ in status }
      let instance = try bridge.make()
      bridge.check(instance, apply: apply)
      #expect(try bridge.onlyStatus() == expected)
      #expect(bridge.rules().isEmpty == (status != 99 && status != MGMT_RECREATE && (apply || status != MGMT_CHANGED)))
    }

    @Test("a check is completed from another thread, many at a time")
    func completeElsewhere() throws {
      script.check = { [script] call, _, _ in
        onThreads(1) { _ in script.table.complete(call.handle, mgmt_status(MGMT_CHANGED)) }
        return MGMT_PENDING
      }
      let count = 64
      let instances = try (0..<count).map { try bridge.make($0) }
      for _ in 0..<4 {
        bridge.owner.outcomes = []
        for instance in instances { bridge.check(instance) }
        #expect(try bridge.turn { bridge.owner.outcomes.count >= count })
        #expect(Set(bridge.owner.outcomes.map(\.slot)).count == count)
        #expect(Set(bridge.owner.statuses) == ["changed"])
      }
      #expect(bridge.owner.logs.isEmpty)
    }

    @Test("a check may be completed before it answers that it is pending")
    func completeEarly() throws {
      script.check = { [script] call, _, _ in
        script.table.complete(call.handle, mgmt_status(MGMT_CHANGED))
        return MGMT_PENDING
      }
      bridge.check(try bridge.make())
      #expect(try bridge.onlyStatus() == "changed")
      #expect(bridge.owner.logs.isEmpty)
    }

    @Test("a check that is completed and answers something else: the answer counts")
    func completeAndReturn() throws {
      script.check = { [script] call, _, _ in
        script.table.complete(call.handle, mgmt_status(MGMT_CHANGED))
        return MGMT_OK
      }
      bridge.check(try bridge.make())
      #expect(try bridge.onlyStatus() == "ok")
      #expect(
        bridge.rules() == [
          "plugin \"test\" broke a rule of the ABI (test[r0]): complete was called for a check that did not answer MGMT_PENDING"
        ])
    }

    @Test("of many completions from many threads one counts; the others are reported once")
    func completeOften() throws {
      let threads = 8
      script.check = { [script] call, _, _ in
        onThreads(threads) { _ in
          script.table.complete(call.handle, mgmt_status(MGMT_OK))
          script.note("completed")
        }
        return MGMT_PENDING
      }
      bridge.check(try bridge.make())
      #expect(try bridge.turn { script.count("completed") == threads })
      #expect(try bridge.onlyStatus() == "ok")
      #expect(try bridge.turn { !bridge.rules().isEmpty })
      #expect(bridge.rules() == ["plugin \"test\" broke a rule of the ABI (test[r0]): a check was completed twice"])
    }

    @Test("of threads that complete a check at the same moment one counts")
    func completeAtOnce() throws {
      let (rounds, threads) = (100, 4)
      let gate = Gate()
      script.check = { call, _, _ in
        gate.call.store(call, ordering: .relaxed)
        gate.pending.add(1, ordering: .releasing)
        return MGMT_PENDING
      }
      let instance = try bridge.make()
      onThreads(threads) { [script] _ in
        for round in 1...rounds {
          // They spin, so that they come as close together as they can.
          while gate.open.load(ordering: .acquiring) < round { sched_yield() }
          guard !gate.isOver.load(ordering: .relaxed) else { return }
          script.table.complete(gate.call.load(ordering: .relaxed).handle, mgmt_status(MGMT_FAILED))
          gate.completed.add(1, ordering: .releasing)
        }
      }
      defer {
        gate.isOver.store(true, ordering: .relaxed)
        gate.open.store(rounds, ordering: .releasing)
      }
      for round in 1...rounds {
        bridge.check(instance)
        try #require(try bridge.turn { gate.pending.load(ordering: .acquiring) == round })
        gate.open.store(round, ordering: .releasing)
        try #require(
          try bridge.turn {
            gate.completed.load(ordering: .acquiring) == round * threads && bridge.owner.outcomes.count >= round
          })
        try bridge.reactor.runOnce(maximumWait: 0)
        try #require(bridge.owner.outcomes.count == round)
      }
    }

    private final class Gate: Sendable {
      let call = Atomic<UInt>(0)
      let pending = Atomic(0)
      let open = Atomic(0)
      let completed = Atomic(0)
      let isOver = Atomic(false)
    }

    @Test("numbers that are no handles do nothing", arguments: [0, 1, 7, 1 << 40, UInt.max])
    func noHandles(_ number: UInt) throws {
      _ = try bridge.make()
      let table = script.table
      let text = mgmt_str()
      var value = mgmt_value()
      table.complete(number.handle, mgmt_status(MGMT_OK))
      table.progress(number.handle, 1, text)
      table.change(number.handle, text, &value, nil)
      #expect(table.cancel_fd(number.handle) == -1)
      #expect(table.call_error(number.handle) == nil)
      #expect(table.send(number.handle, &value) == mgmt_status(MGMT_FAILED))
      table.fd_modify(number.handle, 1)
      table.source_stop(number.handle)
      table.source_delete(number.handle)
      if number != 1 {
        table.ready(number.handle)
        table.event(number.handle)
        table.watch_failed(number.handle, 0, text, text)
        #expect(table.vardir(number.handle, text, nil, 0, nil) == mgmt_status(MGMT_FAILED))
      }
      #expect(bridge.owner.outcomes.isEmpty && bridge.owner.readyCount == 0 && bridge.owner.watchFailures.isEmpty)
      #expect(bridge.owner.logs == ["a plugin completed a check that is not running: ignored"])
    }

    @Test("differences are recorded in order, also from other threads, and bounded")
    func changes() throws {
      script.check = { [script] call, _, _ in
        for number in 0..<20_000 as Range<Int64> {
          var was = mgmt_value(type: UInt32(MGMT_INT), flags: 0, u: .init(i: number))
          var will = mgmt_value(type: UInt32(MGMT_STRING), flags: UInt32(MGMT_VALUE_SECRET), u: .init(s: mgmt_str()))
          "mode".withABI { script.table.change(call.handle, $0, &was, &will) }
        }
        return MGMT_CHANGED
      }
      bridge.check(try bridge.make())
      #expect(try bridge.onlyStatus() == "changed")
      let changes = try #require(bridge.owner.outcomes.first?.outcome.changes)
      #expect(changes.count == 10_000)
      #expect(changes.first?.path == "mode" && changes.first?.was == .int(0) && changes.last?.was == .int(9999))
      #expect(bridge.owner.logs == ["10000 more changes are not listed"])
      #expect(changes.allSatisfy { $0.isSecret && $0.will == .string("(secret)") })
    }

    @Test("a sent field is secret when it is marked, or something in it, or all that is sent")
    func secretFields() {
      let plain = mgmt_value(type: UInt32(MGMT_INT), flags: 0, u: .init(i: 1))
      let marked = mgmt_value(type: UInt32(MGMT_INT), flags: UInt32(MGMT_VALUE_SECRET), u: .init(i: 1))
      var inner = [plain, marked]
      inner.withUnsafeMutableBufferPointer { inner in
        let list = mgmt_value(type: UInt32(MGMT_LIST), flags: 0, u: .init(v: mgmt_values(at: inner.baseAddress, count: 2)))
        var fields = [plain, marked, list]
        fields.withUnsafeMutableBufferPointer { fields in
          var sent = mgmt_value(type: UInt32(MGMT_STRUCT), flags: 0, u: .init(v: mgmt_values(at: fields.baseAddress, count: 3)))
          #expect(sent.secretFields == [1, 2])
          sent.flags = UInt32(MGMT_VALUE_SECRET)
          #expect(sent.secretFields == [0, 1, 2])
        }
      }
    }

    @Test("values that make no sense are said to make none")
    func garbage() throws {
      script.check = { [script] call, _, _ in
        var unknown = mgmt_value(type: 99, flags: 0, u: .init(i: 1))
        var items = [mgmt_value](repeating: mgmt_value(type: UInt32(MGMT_INT), flags: 0, u: .init(i: 1)), count: 3)
        items.withUnsafeMutableBufferPointer { items in
          var odd = mgmt_value(type: UInt32(MGMT_MAP), flags: 0, u: .init(v: mgmt_values(at: items.baseAddress, count: 3)))
          "p".withABI { script.table.change(call.handle, $0, &unknown, &odd) }
        }
        "p".withABI { script.table.change(call.handle, $0, nil, nil) }
        script.table.progress(call.handle, 4_000_000_000, mgmt_str())
        return MGMT_OK
      }
      bridge.check(try bridge.make())
      #expect(try bridge.onlyStatus() == "ok")
      let changes = try #require(bridge.owner.outcomes.first?.outcome.changes)
      let strange = Value.string("(strange value)")
      #expect(changes.map(\.was) == [strange, .unset] && changes.map(\.will) == [strange, .unset])
      let rules = bridge.rules()
      #expect(rules.count == 2, "\(rules)")
      #expect(rules.first?.hasSuffix("it reported a value of the unknown type 99 as a change") == true)
      #expect(rules.last?.hasSuffix("it reported a map with a key that has no value as a change") == true)
      #expect(bridge.owner.progress == [1000])
    }

    @Test("why a check failed is told with field, system error and hint, also from another thread")
    func errors() throws {
      script.check = { [script] call, _, _ in
        onThreads(1) { _ in
          let error = script.table.call_error(call.handle)
          "mode".withABI { field in
            "is wrong".withABI { text in
              "mend it".withABI { script.table.fail(error, ENOENT, field, text, $0) }
            }
          }
          script.table.complete(call.handle, mgmt_status(MGMT_FAILED))
        }
        return MGMT_PENDING
      }
      bridge.check(try bridge.make())
      #expect(try bridge.onlyStatus() == "failed: mode: is wrong")
      guard case .failed(let reason) = bridge.owner.outcomes.first?.outcome.status else { return }
      #expect(reason.resource == "test[r0]" && reason.hint == "mend it")
      #expect(reason.notes == ["the system says: No such file or directory (errno 2)"])
    }

    @Test("cancelling makes the descriptor readable, asked for before or after; cancel comes for what is pending only")
    func cancel() throws {
      script.check = { [script] call, _, _ in
        script.note("fd \(script.table.cancel_fd(call.handle) >= 0)")
        return MGMT_PENDING
      }
      script.cancel = { [script] call in
        // The same descriptor as before, readable now.
        var wait = pollfd(fd: script.table.cancel_fd(call.handle), events: Int16(POLLIN), revents: 0)
        script.note("readable \(poll(&wait, 1, 0) == 1)")
        script.table.complete(call.handle, mgmt_status(MGMT_CANCELLED))
      }
      let instance = try bridge.make()
      instance.cancelCheck()
      #expect(script.count("cancel") == 0)
      bridge.check(instance)
      #expect(try bridge.turn { script.count("fd true") == 1 })
      // Until the answer is in, the check is not pending and cancel is not due: the descriptor says it.
      #expect(
        try bridge.turn {
          instance.cancelCheck()
          return !bridge.owner.outcomes.isEmpty
        })
      #expect(try bridge.onlyStatus() == "cancelled")
      #expect(script.count("readable true") == 1)
      instance.cancelCheck()
      #expect(script.count("cancel") == 1)
    }

    @Test("a worker that waits for its cancellation hears of it")
    func cancelWorker() throws {
      script.check = { [script] call, _, _ in
        var wait = pollfd(fd: script.table.cancel_fd(call.handle), events: Int16(POLLIN), revents: 0)
        script.note("waits")
        return poll(&wait, 1, 30_000) == 1 ? MGMT_CANCELLED : MGMT_OK
      }
      let instance = try bridge.make()
      bridge.check(instance)
      #expect(try bridge.turn { script.count("waits") == 1 })
      instance.cancelCheck()
      #expect(try bridge.onlyStatus() == "cancelled")
      #expect(script.count("cancel") == 0)
    }
  }
}
