// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PkgPlugin

@Suite struct TransactionTests {
  @Test func oneAfterTheOther() {
    var queue = TransactionQueue()
    #expect(queue.start() == nil)
    let tickets = (0..<3).map { _ in queue.add() }
    #expect(queue.start() == tickets[0])
    #expect(queue.start() == nil)
    let removals = [tickets[1], tickets[1], tickets[0]].map { queue.remove($0) }
    #expect(removals == [true, false, true])
    #expect(queue.start() == tickets[2])
    queue.remove(tickets[2])
    #expect(queue.start() == nil)
    #expect(queue.running == nil)
  }

  @Test func aRecordEndsWithFinished() {
    var record = TransactionRecord()
    #expect(taken(&record, .packages([listed(1, "a;1;all;")])) == false)
    #expect(taken(&record, .progress(50)) == false)
    #expect(taken(&record, .finished(exit: 1)) == true)
    #expect(record.packages.count == 1 && record.problem == nil)
  }

  @Test func theFirstErrorIsTheReason() {
    var record = TransactionRecord()
    #expect(taken(&record, .errorCode(26, "locked")) == false)
    #expect(taken(&record, .errorCode(4, "later")) == false)
    #expect(taken(&record, .finished(exit: 2)) == true)
    #expect(record.problem == .packageKit(26, "locked"))
  }

  @Test func endsWithoutAReason() {
    for (exit, problem) in [(UInt32(2), TransactionProblem.exit(2)), (3, .cancelled), (8, .exit(8)), (99, .exit(99))] {
      var record = TransactionRecord()
      #expect(taken(&record, .finished(exit: exit)) == true)
      #expect(record.problem == problem)
    }
    var record = TransactionRecord()
    #expect(taken(&record, .destroy) == true)
    #expect(record.problem == .daemonGone)
  }

  @Test func whatIsToldIsBounded() {
    var record = TransactionRecord()
    let packages = Array(repeating: listed(1, "a;1;all;"), count: 400_000)
    for _ in 0..<4 { _ = record.take(.packages(packages)) }
    _ = record.take(.files(PackageID(name: "a", version: "", architecture: ""), ["/a"]))
    #expect(record.packages.count == TransactionRecord.limit)
    #expect(record.files.isEmpty)

    record = TransactionRecord()
    let id = PackageID(name: "a", version: "", architecture: "")
    for _ in 0..<(TransactionRecord.limit + 10) { _ = record.take(.files(id, [])) }
    _ = record.take(.size(id, 1))
    #expect(record.files.count == TransactionRecord.limit && record.sizes.isEmpty)
    record = TransactionRecord()
    for _ in 0..<3 { _ = record.take(.files(id, Array(repeating: "/a", count: 600_000))) }
    #expect(record.files.map(\.paths.count) == [600_000, 399_998])
  }

  @Test func failuresSayWhatToDo() {
    func failure(_ problem: TransactionProblem) -> (text: String, hint: String) {
      let failure = problem.failure("install demo")
      return (failure.message, failure.hint)
    }
    #expect(failure(.packageKit(13, "a\nb")).text == "cannot install demo: a b (dep-resolution-failed)")
    #expect(failure(.packageKit(5, "")).hint.contains("allowuntrusted: true"))
    #expect(failure(.packageKit(50, "")).hint.contains("allowuntrusted: true"))
    #expect(failure(.exit(8)).hint.contains("allowuntrusted: true"))
    #expect(failure(.packageKit(26, "")).hint.contains("tried again"))
    #expect(failure(.packageKit(26, "run 'dpkg --configure -a'")).hint == "")
    #expect(failure(.packageKit(41, "")).hint.contains("allowdowngrade"))
    #expect(failure(.packageKit(4_000_000_000, "x")).text.contains("error 4000000000"))
    #expect(failure(.refused("org.freedesktop.DBus.Error.ServiceUnknown", "x")).hint.contains("install packagekit"))
    #expect(failure(.refused("org.freedesktop.DBus.Error.AccessDenied", "x")).hint.contains("root"))
  }

  @Test func onlySomeFailuresConcernOnePackage() {
    #expect(TransactionProblem.packageKit(58, "").mayConcernOnePackage)
    #expect(TransactionProblem.exit(8).mayConcernOnePackage)
    for problem: TransactionProblem in [
      .packageKit(26, ""), .packageKit(2, ""), .packageKit(37, ""), .packageKit(43, ""), .daemonGone, .silent(seconds: 60),
      .cancelled,
    ] {
      #expect(!problem.mayConcernOnePackage)
    }
  }

  @Test func whatManyHaveInCommonIsNoFaultOfTheirs() {
    func common(_ codes: [UInt32?]) -> TransactionProblem? {
      var streak = FailureStreak()
      for (index, code) in codes.enumerated() {
        if let code { streak.failed(.packageKit(code, "package \(index)")) } else { streak.succeeded() }
      }
      return streak.common
    }
    #expect(common(Array(repeating: 10, count: 7)) == nil)
    #expect(common(Array(repeating: 10, count: 8)) == .packageKit(10, "package 7"))
    #expect(common(Array(repeating: 10, count: 7) + [58] + Array(repeating: 10, count: 7)) == nil)
    #expect(common(Array(repeating: 10, count: 7) + [nil] + Array(repeating: 10, count: 7)) == nil)
  }

  @Test func quietTransactions() {
    let quiet = { (isChanging: Bool, listed: [String]) in
      RunningTransaction.mayBeQuiet("/1_a", isChanging: isChanging, listed: listed)
    }
    #expect(!quiet(false, []) && !quiet(false, ["/1_a"]) && quiet(false, ["/2_b", "/1_a"]))
    #expect(!quiet(true, []) && quiet(true, ["/1_a"]) && !quiet(true, ["/2_b"]))
  }

  @Test func socketsOfAddresses() {
    #expect(BusConnection.socketPath(of: "unix:path=/run/bus") == "/run/bus")
    #expect(BusConnection.socketPath(of: "unix:path=/run/bus,guid=1") == "/run/bus")
    for address in ["", "unix:abstract=/x", "unix:path=bus", "unix:path=/a%20b", "unix:path=/a;unix:path=/b", "tcp:host=a"] {
      #expect(BusConnection.socketPath(of: address) == nil, "\(address)")
    }
  }

  @Test func someProblemsPass() {
    let noReply = TransactionProblem.refused("org.freedesktop.DBus.Error.NoReply", "")
    let notStarted = TransactionProblem.refused("org.freedesktop.DBus.Error.Spawn.ExecFailed", "")
    for problem: TransactionProblem in [.daemonGone, .busGone, .silent(seconds: 60), noReply, notStarted, .packageKit(46, "")] {
      #expect(problem.isPassing)
    }
    // Of these something else tells when to look again, or somebody has to do something.
    let absent = TransactionProblem.refused("org.freedesktop.DBus.Error.ServiceUnknown", "")
    for problem: TransactionProblem in [.noBus("", hint: ""), absent, .packageKit(26, ""), .packageKit(50, ""), .exit(2)] {
      #expect(!problem.isPassing)
    }
  }

  @Test func interruptedTransactionsAreNoLocks() {
    let interrupted = TransactionProblem.packageKit(26, "dpkg was interrupted, run 'dpkg --configure -a'")
    #expect(interrupted.needsRepair && !interrupted.isLock)
    #expect(TransactionProblem.packageKit(26, "locked").isLock)
  }
}

/// Expectations take no mutating calls.
private func taken(_ record: inout TransactionRecord, _ signal: PackageKitSignal) -> Bool { record.take(signal) }
