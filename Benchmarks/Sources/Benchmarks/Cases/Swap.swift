// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A graph of 1,000 files is replaced a thousand times in a minute, with one content changed each time, under a running agent: what is
/// checked, counted from the events, what is on disk in the end, and what 900 of these edits leave behind in the process. A C program
/// that reads the same file with libyaml and writes what differs runs beside it.
struct Swap: Benchmark {
  let name = "swap"
  let summary = "1,000 edits in a minute of a graph of 1,000 files: checks, leaks, CPU time"
  private let edits = 1_000
  private let settled = 100
  private let interval = 0.060

  private struct Level {
    let resident, descriptors, threads, cpu, loopCPU: Double

    init(_ agent: Child, _ loop: Child) throws {
      guard let threads = Proc.threads(agent.pid) else { throw Failure("the agent has ended\(agent.tail)") }
      self.threads = Double(threads)
      resident = Double(try Proc.residentBytes(agent.pid))
      descriptors = Double(try Proc.descriptors(agent.pid))
      cpu = try Proc.cpuSeconds(agent.pid)
      loopCPU = try Proc.cpuSeconds(loop.pid)
    }
  }

  func run(_ bench: Bench) throws -> [Row] {
    // In memory: the disk is not what is measured.
    let memory = try Scratch(under: "/dev/shm")
    defer { memory.remove() }
    let sequence = EditSequence(count: 1_000, folder: try memory.folder("agent"))
    let loopFolder = try memory.folder("loop")
    _ = try memory.folder("graph")
    let graph = try memory.write(sequence.graph(after: 0), to: "graph/swap.yaml")
    let running = try bench.agent.start(graph, flags: ["--json"], name: "swap")
    let loop = try startLoop(bench, graph, loopFolder)
    let offset = try Event.settle(running.child.output)

    var written: [Double] = []
    var residents: [Double] = []
    func write(_ range: ClosedRange<Int>) throws -> Double {
      let start = ContinuousClock.now
      for edit in range {
        let due = start + .seconds(interval * Double(edit - range.lowerBound + 1))
        try Deadline(seconds: 30).until("the next edit is due", every: 0.001) { ContinuousClock.now >= due }
        try memory.write(sequence.graph(after: edit), to: "graph/swap.yaml")
        written.append(Date().timeIntervalSince1970)
        if edit.isMultiple(of: settled) { residents.append(Double(try Proc.residentBytes(running.child.pid))) }
        if running.child.hasEnded { throw Failure("the agent has ended after edit \(edit)\(running.child.tail)") }
      }
      return (ContinuousClock.now - start) / .seconds(1)
    }
    /// Files that are not as asked once nothing moves any more.
    func settle() throws -> Int {
      try Deadline(seconds: 30).until("the last edit has been taken by the C program", every: 0.05) {
        if loop.hasEnded { throw Failure("edit_loop has ended\(loop.tail)") }
        return sequence.differing(in: loopFolder, after: written.count) == 0
      }
      try Event.settle(running.child.output)
      return sequence.differing(in: sequence.folder, after: written.count)
    }
    var seconds = try write(1...settled)
    var lost = try settle()
    let before = try Level(running.child, loop)
    seconds += try write(settled + 1...edits)
    lost += try settle()
    let after = try Level(running.child, loop)

    try bench.agent.stop(running)
    try bench.programs.stop(loop)
    let events = try Event.read(running.child.output, from: offset)
    let loopTaken = try Proc.text(loop.output).split(separator: "\n").filter { $0 == "taken" }.count
    let report = try EditReport(events, sequence, written: written)
    return rows(report, before, after, seconds, residents, lost: lost, loopTaken: loopTaken)
  }

  private func startLoop(_ bench: Bench, _ graph: String, _ folder: String) throws -> Child {
    let loop = try bench.programs.start([bench.programs.path("edit_loop"), graph, folder], log: "edit-loop.out")
    try Deadline(seconds: 30).until("edit_loop is ready") {
      if loop.hasEnded { throw Failure("edit_loop has ended early\(loop.tail)") }
      return try Proc.text(loop.output).contains("ready")
    }
    return loop
  }

  private func rows(
    _ report: EditReport, _ before: Level, _ after: Level, _ seconds: Double, _ residents: [Double], lost: Int, loopTaken: Int
  ) -> [Row] {
    let latency = Samples(report.latencies)
    let checks = "\(report.missing) missing, \(report.unasked) unasked, \(report.fruitless) that changed nothing"
    let latencies = [50, 99, 100].map { Unit.seconds.text(latency.percentile($0)) }.joined(separator: ", ")
    let after100 = ["baseline: the same process after \(settled) edits"]
    let course = "each \(settled) edits, while they went on: " + residents.map(Unit.bytes.text).joined(separator: ", ")
    let measured = Double(edits - settled)
    return [
      Row("1,000 edits of 1 of 1,000: written in", .seconds, [seconds], bar: .atMost(61)),
      Row(
        "… graphs taken", .count, [Double(report.taken)], baseline: [Double(loopTaken)], bar: .none,
        notes: ["an edit that another follows at once may be passed over; its change comes with the next"]),
      Row("… changes not on disk in the end", .count, [Double(lost)], bar: .exactly(0)),
      Row(
        "… checks missing or too many", .count, [Double(report.missing + report.unasked + report.fruitless)], bar: .exactly(0),
        notes: [checks, "from edit to done: p50, p99, most: \(latencies)"]),
      Row("… resources that did not run on", .count, [Double(report.restarted)], bar: .exactly(0)),
      Row(
        "… RSS", .bytes, [after.resident], baseline: [before.resident], bar: .timesBaseline(1.05, plus: 0),
        notes: after100 + [course]),
      Row(
        "… RSS, the second half", .bytes, residents.suffix(1), baseline: residents.prefix(residents.count / 2).suffix(1),
        bar: .timesBaseline(1.02, plus: 0), notes: ["baseline: the same process after half of the edits"]),
      Row(
        "… open descriptors", .count, [after.descriptors], baseline: [before.descriptors], bar: .exactly(before.descriptors),
        notes: after100),
      Row("… threads", .count, [after.threads], baseline: [before.threads], bar: .exactly(before.threads), notes: after100),
      Row(
        "… CPU for each edit", .seconds, [(after.cpu - before.cpu) / measured],
        baseline: [(after.loopCPU - before.loopCPU) / measured], bar: .none),
    ]
  }
}
