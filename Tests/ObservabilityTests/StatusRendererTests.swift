// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Engine
import Graph
import Testing

@testable import Observability

struct StatusRendererTests {
  private func line(_ status: ResourceStatus) -> String { text(TextStatus().resource(status, .test)) }
  private func json(_ status: ResourceStatus) -> String { text(JSONStatus().resource(status, .test)) }

  @Test(arguments: [
    (WaitReason.watch, "watch not armed"), (.parents, "waits for file[a], file[b]"),
    (.semaphore("x:2"), "waits for semaphore x:2"),
    (.limit, "events come faster than its limit"), (.retry, "waits for its next attempt"), (.paused, "paused"),
    (.leaving, "leaves the graph"),
  ])
  func whyItWaits(_ reason: WaitReason, _ words: String) {
    let status = ResourceStatus.make("noop[x]", .waiting) {
      $0.waiting = reason
      if reason == .parents { $0.waitsFor = [ResourceID("file[a]"), ResourceID("file[b]")] }
    }
    #expect(status.waitWords == words)
    #expect(line(status) == "waiting   noop[x]: \(words), never checked\n")
  }

  @Test func manyAreNotAllNamed() {
    let status = ResourceStatus.make("noop[x]", .waiting) { status in
      status.waitsFor = (0..<200).map { ResourceID(kind: "n", name: "\($0)") }
    }
    #expect(status.waitWords?.hasSuffix("n[9] and 190 more") ?? false)
    #expect(json(status).contains(#""n[99]"],"more_waits_for":100"#))
  }

  @Test func everythingThereIsToSay() {
    let status = ResourceStatus.make("file[/a]", .failed, changes: 3) {
      $0.lastCheck = EngineTime(second: 997)
      $0.lastChange = EngineTime(second: 400)
      $0.nextAttempt = EngineTime(second: 1005.5)
      $0.failure = Diagnostic("x.y", "no such directory")
      $0.members = [ResourceID("file[/b]")]
      $0.isReversal = true
    }
    #expect(
      line(status)
        == "failed    file[/a]: checked 3 s ago, changed 3 times, last 10 min ago, tried again in 5 s, leads file[/b], "
        + "puts back what another changed: no such directory\n")
    #expect(
      json(status)
        == #"{"type":"resource","resource":"file[/a]","state":"failed","changes":3,"last_check":1699999997.0,"#
        + #""last_change":1699999400.0,"next_retry":1700000005.5,"members":["file[/b]"],"reversal":true,"failure":{"severity":"error","#
        + #""code":"x.y","title":"no such directory","labels":[],"notes":[]}}"# + "\n")
  }

  @Test func theUsualIsShort() {
    #expect(line(.make("noop[x]")) == "ok        noop[x]\n")
    #expect(
      line(.make("file[a]", changes: 1) { $0.lastChange = EngineTime(second: 999.99) }).hasSuffix(": changed once, 10 ms ago\n")
    )
    #expect(line(.make("file[a]") { $0.isHidden = true }) == "hidden    file[a]\n")
    #expect(line(.make("file[b]") { $0.leader = ResourceID("file[a]") }) == "ok        file[b]: in the group of file[a]\n")
    #expect(text(TextStatus().removed("file[a]")) == "removed   file[a]\n")
    #expect(text(JSONStatus().removed("a[b]")) == #"{"type":"resource","resource":"a[b]","state":"removed"}"# + "\n")
  }

  @Test(arguments: [
    (0.0, "1 ms"), (0.5, "500 ms"), (1, "1 s"), (119.9, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"),
    (172_800, "2 days"),
    (1e13, "ever"),
  ])
  func durations(_ seconds: Double, _ words: String) {
    #expect(TextStatus.duration(seconds) == words)
  }

  @Test func namesStayOnTheirLine() {
    let status = ResourceStatus.make("file[x]", .failed) {
      $0.id.name = "a\nok noop[b]\u{1b}[2J\u{202e}\u{85}"
      $0.failure = Diagnostic("x", "says\r\nmore")
    }
    let shown = line(status)
    #expect(shown == "failed    file[a␊ok noop[b]␛[2J\u{fffd}\u{fffd}]: says␍␊more\n")
    #expect(json(status).split(separator: "\n").count == 1)
    #expect(!json(status).utf8.dropLast().contains { $0 < 0x20 || $0 == 0x7f })
  }

  @Test func theAgentsLineSaysWhetherAllIsAsAsked() {
    func agent(_ all: [ResourceStatus], graph: String? = "g", isConverged: Bool = true) -> AgentStatus {
      AgentStatus(
        pid: 7, hostname: "h1", version: "1.2", graph: graph, counts: StatusCounts(all), isConverged: isConverged,
        isPaused: false)
    }
    let good = agent([.make("a[b]"), .make("a[c]") { $0.isHidden = true }])
    #expect(
      text(TextStatus().agent(good, .test))
        == "agent     mgmt 1.2, pid 7 on h1, graph \"g\": 2 resources, 1 ok, 1 hidden; converged; all as asked\n")
    let bad = agent([.make("a[b]", .failed), .make("a[c]", .differs)], isConverged: false)
    #expect(
      text(TextStatus().agent(bad, .test))
        == "agent     mgmt 1.2, pid 7 on h1, graph \"g\": 2 resources, 1 differs, 1 failed; not converged; 2 not as asked\n")
    #expect(text(TextStatus().agent(agent([], graph: nil), .test)).hasSuffix("; not as asked yet\n"))
    #expect(
      text(JSONStatus().agent(bad, .test))
        == #"{"type":"agent","as_asked":false,"time":1700000000.0,"pid":7,"hostname":"h1","version":"1.2","graph":"g","resources":2,"#
        + #""states":{"ok":0,"running":0,"waiting":0,"starting":0,"differs":1,"fight":0,"failed":1,"blocked":0,"hidden":0},"converged":false,"#
        + #""paused":false}"# + "\n")
    for renderer in [TextStatus(), JSONStatus()] as [any StatusRenderer] {
      #expect(!text(renderer.agent(good, .test)).contains("not as asked"))
    }
  }

  @Test func aRefusedGraphIsNotAsAsked() {
    let span = SourceSpan(file: "/g.yaml", start: .init(line: 3, column: 5), end: .init(line: 3, column: 8))
    let reason = Diagnostic("yaml.kind", "unknown kind \"fl\ne\"", labels: [.init(span)])
    func agent(_ all: [ResourceStatus], _ count: Int) -> AgentStatus {
      AgentStatus(
        pid: 7, hostname: "h1", version: "1.2", graph: "g", counts: StatusCounts(all), isConverged: true, isPaused: false,
        refused: RefusedGraph(reason, count: count, time: 1_699_999_997))
    }
    #expect(
      text(TextStatus().agent(agent([.make("a[b]")], 1), .test))
        == "refused   the newest graph, 3 s ago: /g.yaml:3:5: unknown kind \"fl␊e\"; the one before goes on\n"
        + "agent     mgmt 1.2, pid 7 on h1, graph \"g\": 1 resource, 1 ok; converged; the newest graph was refused\n")
    let worse = text(TextStatus().agent(agent([.make("a[b]", .failed)], 2), .test))
    #expect(
      worse.contains("goes on; 2 were refused in a row\n")
        && worse.hasSuffix("; 1 not as asked; the newest graph was refused\n"))
    let json = text(JSONStatus().agent(agent([.make("a[b]")], 1), .test))
    #expect(json.hasPrefix(#"{"type":"agent","as_asked":false,"#))
    #expect(json.contains(#","refused":{"time":1699999997.0,"count":1,"diagnostic":{"severity":"error","code":"yaml.kind","#))
  }

  @Test(arguments: [
    ("status text", false, false), ("status json", false, true), ("watch text", true, false), ("watch json", true, true),
  ])
  func requests(_ line: String, _ watches: Bool, _ isJSON: Bool) {
    let request = StatusRequest(watches: watches, isJSON: isJSON)
    #expect(StatusRequest(line: Array(line.utf8)) == request)
    #expect(request.line == Array("\(line)\n".utf8))
  }

  @Test(arguments: ["", "status", "status  text", "status text ", "STATUS text", "status text\r", "stop"])
  func otherRequestsAreNone(_ line: String) {
    #expect(StatusRequest(line: Array(line.utf8)) == nil)
  }
}
