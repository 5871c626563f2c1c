// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing

@testable import Engine
@testable import Observability

struct ExpositionTests {
  @Test func familiesHaveHelpAndType() {
    var out = Exposition()
    out.family("x_total", .counter, "Counts \\ and\nmore \"x\".")
    out.sample(UInt64(3))
    out.sample(0.25, labels: Exposition.labels(["a": "1", "b": "say \"hi\"\\\n"]), suffix: "_sum")
    #expect(
      out.text == """
        # HELP x_total Counts \\\\ and\\nmore "x".
        # TYPE x_total counter
        x_total 3
        x_total_sum{a="1",b="say \\"hi\\"\\\\\\n"} 0.25

        """)
  }

  @Test(arguments: [
    (0, "0"), (1, "1"), (-2, "-2"), (0.5, "0.5"), (1e15, "1000000000000000"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
    (.nan, "NaN"),
    (1e-7, "1e-07"),
  ])
  func numbers(_ value: Double, _ text: String) {
    #expect(Exposition.number(value) == text)
  }
}

struct MetricsTests {
  private let file = ResourceID("file[a]")

  private func ended(_ status: CheckOutcome.Status, willRetry: Bool = false, apply: Bool = true, latency: UInt64 = 0)
    -> EngineEvent
  {
    .checkEnded(
      file, CheckOutcome(status, duration: 2_000_000),
      CheckContext(reason: .intended, apply: apply, willRetry: willRetry, latency: latency))
  }

  private func lines(_ metrics: Metrics, _ all: [ResourceStatus] = [], isConverged: Bool = false, isRefused: Bool = false)
    -> Set<String>
  {
    let bytes = metrics.text(isConverged: isConverged, isRefused: isRefused) { visit in for status in all { visit(status) } }
    return Set(String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init))
  }

  @Test func allCombinationsAreThereFromTheBeginning() {
    let lines = lines(Metrics(kinds: ["exec", "file"]))
    for kind in ["exec", "file"] {
      for apply in [true, false] {
        for eventful in [true, false] {
          for errorful in [true, false] {
            #expect(
              lines.contains(
                "mgmt_checkapply_total{kind=\"\(kind)\",apply=\"\(apply)\",eventful=\"\(eventful)\",errorful=\"\(errorful)\"} 0"
              ))
          }
        }
      }
      for failure in ["soft", "hard"] {
        #expect(lines.contains("mgmt_failures_total{kind=\"\(kind)\",failure=\"\(failure)\"} 0"))
        #expect(lines.contains("mgmt_failures{kind=\"\(kind)\",failure=\"\(failure)\"} 0"))
      }
      #expect(lines.contains("mgmt_resources{kind=\"\(kind)\"} 0"))
      #expect(lines.contains("mgmt_checkapply_duration_seconds_bucket{kind=\"\(kind)\",le=\"0.0001\"} 0"))
      #expect(lines.contains("mgmt_reaction_seconds_bucket{kind=\"\(kind)\",le=\"+Inf\"} 0"))
    }
    for line in [
      "mgmt_graph_start_time_seconds 0", "mgmt_converged 0", "mgmt_automatic_edges 0", "mgmt_grouped 0",
      "mgmt_compile_seconds_count 0",
    ] { #expect(lines.contains(line)) }
  }

  @Test func checksAreCountedByWhatTheyFound() {
    let metrics = Metrics(kinds: ["file"])
    metrics.record(ended(.ok))
    metrics.record(ended(.changed))
    metrics.record(ended(.changed))
    metrics.record(ended(.differs, apply: false))
    metrics.record(ended(.failed(Diagnostic("x", "x")), willRetry: true))
    metrics.record(ended(.failed(Diagnostic("x", "x"))))
    metrics.record(ended(.cancelled))
    metrics.record(.watchFailed(file, Diagnostic("x", "x"), willRetry: false))
    let lines = lines(metrics)
    func checks(_ apply: Bool, _ eventful: Bool, _ errorful: Bool, _ count: Int) -> Bool {
      lines.contains(
        "mgmt_checkapply_total{kind=\"file\",apply=\"\(apply)\",eventful=\"\(eventful)\",errorful=\"\(errorful)\"} \(count)")
    }
    #expect(
      checks(true, false, false, 1) && checks(true, true, false, 2) && checks(false, true, false, 1)
        && checks(true, false, true, 2))
    #expect(lines.contains("mgmt_failures_total{kind=\"file\",failure=\"soft\"} 1"))
    #expect(lines.contains("mgmt_failures_total{kind=\"file\",failure=\"hard\"} 2"))
    #expect(lines.contains("mgmt_checkapply_duration_seconds_count{kind=\"file\"} 6"))
    #expect(lines.contains("mgmt_checkapply_duration_seconds_sum{kind=\"file\"} 0.012"))
    #expect(lines.contains("mgmt_reaction_seconds_count{kind=\"file\"} 0"), "an unknown time is not one of no length")
  }

  @Test func bucketsIncludeThoseBefore() {
    let metrics = Metrics(kinds: ["file"])
    for latency in [100_000, 100_001, 900_000_000, 61_000_000_000] as [UInt64] { metrics.record(ended(.ok, latency: latency)) }
    let lines = lines(metrics)
    for (bound, count) in [("0.0001", 1), ("0.00025", 2), ("0.5", 2), ("1", 3), ("60", 3), ("+Inf", 4)] {
      #expect(lines.contains("mgmt_reaction_seconds_bucket{kind=\"file\",le=\"\(bound)\"} \(count)"))
    }
    #expect(lines.contains("mgmt_reaction_seconds_count{kind=\"file\"} 4"))
  }

  @Test func resourcesAndFailuresAreAsTheyStand() {
    let all: [ResourceStatus] = [
      .make("file[a]"), .make("file[b]", .failed), .make("file[c]", .failed) { $0.nextAttempt = EngineTime(second: 1) },
      .make("new[d]", .blocked),
    ]
    let lines = lines(Metrics(kinds: ["file"]), all, isConverged: true)
    #expect(lines.contains("mgmt_resources{kind=\"file\"} 3"))
    #expect(lines.contains("mgmt_resources{kind=\"new\"} 1"))
    #expect(lines.contains("mgmt_failures{kind=\"file\",failure=\"soft\"} 1"))
    #expect(lines.contains("mgmt_failures{kind=\"file\",failure=\"hard\"} 1"))
    #expect(lines.contains("mgmt_failures{kind=\"new\",failure=\"hard\"} 0"))
    #expect(lines.contains("mgmt_converged 1"))
  }

  @Test func graphsAndCompilesAreCounted() {
    let metrics = Metrics(kinds: [])
    var summary = CompileSummary()
    (summary.edgeCount, summary.memberCount, summary.duration) = (7, 3, 1_500_000)
    metrics.record(.compiled(summary))
    metrics.record(.graphStarted(GraphSummary(name: "g", vertices: 1, edges: 0, kept: 0, added: 1, removed: 0)))
    let lines = lines(metrics)
    #expect(lines.contains("mgmt_automatic_edges 7") && lines.contains("mgmt_grouped 3"))
    #expect(lines.contains("mgmt_compile_seconds_bucket{le=\"0.001\"} 0"))
    #expect(lines.contains("mgmt_compile_seconds_bucket{le=\"0.0025\"} 1"))
    #expect(metrics.graphStart > 1_600_000_000)
  }

  @Test func theProcessIsThere() {
    let lines = lines(Metrics(kinds: []))
    for name in [
      "process_cpu_seconds_total", "process_virtual_memory_bytes", "process_resident_memory_bytes",
      "process_start_time_seconds",
      "process_open_fds", "process_max_fds",
    ] {
      let line = lines.first { $0.hasPrefix(name + " ") }
      #expect(line.flatMap { Double($0.dropFirst(name.count + 1)) }.map { $0 >= 0 } ?? false, "\(name): \(line ?? "missing")")
    }
  }

  @Test func everySampleHasItsFamilyBeforeIt() {
    let bytes = Metrics(kinds: ["file"]).text(isConverged: false, isRefused: false) { _ in }
    var family = ""
    var seen: Set<String> = []
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      if line.hasPrefix("# TYPE ") {
        family = String(line.split(separator: " ")[2])
        #expect(seen.insert(family).inserted, "\(family) is there twice")
      } else if !line.hasPrefix("#") {
        #expect(line.hasPrefix(family), "\(line)")
      }
    }
    #expect(bytes.last == 0x0a)
  }
}

struct ProcessStatTests {
  @Test func aNameMayContainAnything() throws {
    let rest = "S 1 2 3 4 5 6 7 8 9 10 140 150 16 17 20 0 4 0 220 2300 24 25"
    let stat = try #require(ProcessStat(Array("123 (a ) b) \(rest)".utf8)))
    #expect((stat.userTicks, stat.systemTicks, stat.startTicks) == (140, 150, 220))
    #expect((stat.virtualBytes, stat.residentPages) == (2300, 24))
  }

  @Test(arguments: ["", "1 (a", "1 (a) S 1 2", "1 (a) " + String(repeating: "x ", count: 40)])
  func othersAreNone(_ text: String) {
    #expect(ProcessStat(Array(text.utf8)) == nil)
  }
}
