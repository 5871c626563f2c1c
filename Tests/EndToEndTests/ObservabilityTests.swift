// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Looking at an agent from outside: metrics, `mgmt status`, the service manager, and the lock of its directory.
  @Suite struct Observability {
    private static let prometheus = ["--prometheus", "--prometheus-listen", "127.0.0.1:0"]

    /// One file that is as asked, one that cannot be, and one that waits for it.
    private func graph(_ folder: TemporaryFolder) -> String {
      var graph = GraphText()
      graph.file(folder["good"], "good\n")
      graph.file(folder["missing/bad"], "bad\n")
      graph.add("noop", "after")
      graph.edge("file[bad]", "noop[after]")
      return graph.text
    }

    private func status(_ folder: TemporaryFolder, _ options: [String] = []) throws -> Finished {
      try Mgmt.run(["status", "--prefix", folder["state"]] + options)
    }

    /// The port the agent says it serves metrics at.
    private func port(_ agent: AgentProcess) throws -> UInt16 {
      func line(_ event: AgentProcess.Event) -> String? {
        (event.members["text"] as? String).flatMap { $0.hasPrefix("metrics: http://127.0.0.1:") ? $0 : nil }
      }
      agent.expect("the address of the metrics") { line($0) != nil }
      let text = try #require(agent.events.compactMap(line).first)
      return try #require(UInt16(text.dropFirst("metrics: http://127.0.0.1:".count).prefix { $0.isNumber }))
    }

    private func samples(_ port: UInt16) throws -> Set<String> {
      let answer = try ClientSocket(port: port).ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"))
      return Set(answer.split(separator: "\n").map(String.init))
    }

    // MARK: Metrics

    @Test("the metrics have all combinations from the start, and count what happens")
    func metrics() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: graph(folder), options: Self.prometheus)
      let port = try port(agent)
      agent.expect("a failure") { $0.resource == "file[bad]" && $0.status == "failed" }
      #expect(poll { folder.read("good") == "good\n" })
      var lines = try samples(port)
      for kind in ["exec", "file", "noop"] {
        for bits in 0..<8 {
          let labels = "kind=\"\(kind)\",apply=\"\(bits & 4 != 0)\",eventful=\"\(bits & 2 != 0)\",errorful=\"\(bits & 1 != 0)\""
          #expect(lines.contains { $0.hasPrefix("mgmt_checkapply_total{\(labels)} ") }, "\(labels)")
        }
        for failure in ["soft", "hard"] {
          #expect(lines.contains { $0.hasPrefix("mgmt_failures_total{kind=\"\(kind)\",failure=\"\(failure)\"} ") })
          #expect(lines.contains { $0.hasPrefix("mgmt_failures{kind=\"\(kind)\",failure=\"\(failure)\"} ") })
        }
      }
      let changed = "mgmt_checkapply_total{kind=\"file\",apply=\"true\",eventful=\"true\",errorful=\"false\"}"
      #expect(lines.contains("mgmt_resources{kind=\"file\"} 2"))
      #expect(lines.contains("mgmt_failures{kind=\"file\",failure=\"hard\"} 1"))
      #expect(lines.contains("mgmt_converged 0") && !lines.contains("mgmt_graph_start_time_seconds 0"))

      try folder.write("good", "spoiled\n")
      #expect(poll { folder.read("good") == "good\n" })
      try folder.makeFolder("missing")
      agent.expectConverged()
      #expect(
        poll {
          lines = (try? samples(port)) ?? []
          let count = lines.first { $0.hasPrefix(changed) }.flatMap { Int($0.dropFirst(changed.count + 1)) } ?? 0
          return count >= 3 && lines.isSuperset(of: ["mgmt_failures{kind=\"file\",failure=\"hard\"} 0", "mgmt_converged 1"])
        }, "\(lines.sorted())")
      let reactions = lines.first { $0.hasPrefix("mgmt_reaction_seconds_count{kind=\"file\"} ") }
      #expect(reactions.map { !$0.hasSuffix(" 0") } ?? false, "\(reactions ?? "missing")")
      #expect(try agent.stop().status == 0)
    }

    @Test("what is no request for the metrics is refused")
    func refusedRequests() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: GraphText().text, options: Self.prometheus)
      let port = try port(agent)
      for (request, answer) in [
        ("HEAD /metrics HTTP/1.0\r\n\r\n", "200"), ("GET / HTTP/1.0\r\n\r\n", "200"), ("GET /x HTTP/1.0\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", "405"), ("\0\u{1}\n\n", "400"),
        ("GET /metrics\r\n\r\n", "400"),
        // A page in a browser on this machine, whose name was led here.
        ("GET /metrics HTTP/1.1\r\nHost: evil.example:\(port)\r\n\r\n", "421"),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n", "200"),
        ("GET / HTTP/1.0\r\nA: " + String(repeating: "x", count: 100_000), "431"),
      ] {
        let got = try ClientSocket(port: port).ask(request)
        #expect(got.hasPrefix("HTTP/1.1 \(answer) "), "\(request.prefix(40)): \(got.prefix(100))")
      }
      #expect(try agent.stop().status == 0)
    }

    @Test("an address that is in use, or none, is an error that names the option")
    func address() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: GraphText().text, options: Self.prometheus)
      let port = try port(agent)
      let second = try Mgmt.run(
        ["run", "--prefix", folder["other"], "--prometheus", "--prometheus-listen", "127.0.0.1:\(port)", "empty"])
      #expect(second.status == 1)
      #expect(second.err.contains("127.0.0.1:\(port)") && second.err.contains("Address already in use"), "\(second.err)")
      #expect(second.err.contains("hint:") && second.err.contains("--prometheus-listen"))
      for bad in ["nonsense", "127.0.0.1:99999", "::1:80"] {
        let finished = try Mgmt.run(["run", "--prefix", folder["other"], "--prometheus", "--prometheus-listen", bad, "empty"])
        #expect(
          finished.status == 1 && finished.err.contains("--prometheus-listen") && finished.err.contains(bad), "\(finished.err)")
      }
      #expect(try agent.stop().status == 0)
    }

    // MARK: Status

    @Test("mgmt status tells what is as asked, what failed, and what waits for it")
    func statusText() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: graph(folder))
      agent.expect("a failure") { $0.resource == "file[bad]" && $0.status == "failed" }
      #expect(poll { folder.read("good") == "good\n" })
      var finished = try status(folder)
      #expect(
        poll {
          finished = (try? status(folder)) ?? finished
          return finished.out.contains("ok        file[good]")
        })
      #expect(finished.status == 2, "\(finished.err)")
      let lines = finished.out.split(separator: "\n").map(String.init)
      #expect(lines.count == 4, "\(lines)")
      #expect(lines[0].hasPrefix("failed    file[bad]: ") && lines[0].contains("no such directory"))
      #expect(lines[1].hasPrefix("ok        file[good]: ") && lines[1].contains("changed once"))
      #expect(lines[2].contains("noop[after]: waits for file[bad], never checked"))
      #expect(lines[3].hasPrefix("agent     mgmt ") && lines[3].contains(", pid \(agent.running.pid) on "))
      #expect(lines[3].hasSuffix("; not converged; 2 not as asked") && lines[3].contains("graph \"test\": 3 resources, 1 ok"))

      try folder.makeFolder("missing")
      agent.expectConverged()
      finished = try status(folder)
      #expect(finished.status == 0, "\(finished.out)")
      #expect(finished.out.hasSuffix("3 resources, 3 ok; converged; all as asked\n"))
      #expect(try agent.stop().status == 0)
      #expect(!folder.exists("state/engine/status.sock"))
    }

    @Test("mgmt status --json is the same as data")
    func statusJSON() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: graph(folder))
      agent.expect("a failure") { $0.resource == "file[bad]" && $0.status == "failed" }
      let before = Date().timeIntervalSince1970
      #expect(poll { folder.read("good") == "good\n" })
      let finished = try status(folder, ["--json"])
      #expect(finished.status == 2)
      let objects = try finished.out.split(separator: "\n").map {
        try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
      try #require(objects.count == 4)
      let bad = objects[0]
      #expect(
        bad["type"] as? String == "resource" && bad["resource"] as? String == "file[bad]" && bad["state"] as? String == "failed"
      )
      #expect(((bad["failure"] as? [String: Any])?["title"] as? String)?.contains("no such directory") ?? false)
      #expect(objects[2]["waits_for"] as? [String] == ["file[bad]"])
      #expect(objects[3]["as_asked"] as? Bool == false && objects[3]["pid"] as? Int32 == agent.running.pid)
      #expect((objects[3]["states"] as? [String: Int])?["failed"] == 1)
      let check = try #require(bad["last_check"] as? Double, "the time of the last check")
      #expect(check <= before + 1 && check > before - 60)
      #expect(try agent.stop().status == 1)
    }

    @Test("mgmt status --watch tells what changes until the agent ends")
    func watch() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: graph(folder))
      agent.expect("a failure") { $0.resource == "file[bad]" && $0.status == "failed" }
      let watcher = try Running([Mgmt.binary, "status", "--watch", "--prefix", folder["state"]])
      #expect(poll { watcher.out.contains("agent     ") })
      #expect(watcher.out.contains("failed    file[bad]: "))
      let length = watcher.out.count
      try folder.makeFolder("missing")
      #expect(poll { watcher.out.hasSuffix("; converged; all as asked\n") }, "\(watcher.out)")
      let news = watcher.out.dropFirst(length)
      #expect(news.contains("ok        file[bad]: ") && news.contains("ok        noop[after]"), "\(news)")
      #expect(!news.contains("file[good]"), "it did not change: \(news)")

      var second = GraphText()
      second.file(folder["good"], "good\n")
      try agent.edit(second.text)
      #expect(
        poll { watcher.out.contains("removed   noop[after]\n") && watcher.out.hasSuffix("1 ok; converged; all as asked\n") })
      #expect(try agent.stop().status == 0)
      #expect(try watcher.wait().status == 0)
    }

    @Test("mgmt status --watch ends when its reader does")
    func watchReader() throws {
      let folder = try TemporaryFolder()
      let agent = try AgentProcess(folder, graph: graph(folder))
      agent.expect("a failure") { $0.resource == "file[bad]" && $0.status == "failed" }
      let script = "\(Mgmt.binary) status --watch --prefix \(folder["state"]) | head -n 1"
      let finished = try Mgmt.command(["/bin/sh", "-c", script])
      #expect(finished.out.split(separator: "\n").count == 1)
      _ = try agent.stop()
    }

    @Test("without an agent mgmt status says how to start or name one; one that hangs is not waited for")
    func noAgent() throws {
      let folder = try TemporaryFolder()
      for prefix in ["state", "state/engine"] {
        let finished = try Mgmt.run(["status", "--prefix", folder[prefix]])
        #expect(finished.status == 1 && finished.out.isEmpty)
        #expect(finished.err.contains("no agent runs with the prefix \(folder[prefix])") && finished.err.contains("--prefix"))
        try folder.makeFolder("state/engine")
      }
      let agent = try AgentProcess(folder, graph: GraphText().text)
      #expect(poll { folder.exists("state/engine/status.sock") })
      agent.running.signal(SIGSTOP)
      let hung = try status(folder)
      #expect(hung.status == 1 && hung.err.contains("no answer within 5 s"), "\(hung.err)")
      agent.running.signal(SIGKILL)
      _ = try agent.running.wait()
      #expect(folder.exists("state/engine/status.sock"), "the socket of a killed agent is left")
      let killed = try status(folder)
      #expect(killed.status == 1 && killed.err.contains("no agent runs"), "\(killed.err)")
    }

    @Test("the socket works below a long path, and is for the agent's user only")
    func longPrefix() throws {
      let folder = try TemporaryFolder()
      let name = Array(repeating: String(repeating: "x", count: 100), count: 3).joined(separator: "/")
      try folder.write("graph.yaml", GraphText().text)
      let agent = try Running([Mgmt.binary, "run", "--prefix", folder[name], "yaml", folder["graph.yaml"]])
      #expect(poll { (try? Mgmt.run(["status", "--prefix", folder[name]]))?.status == 0 }, "\(agent.err)")
      var status = stat()
      #expect(lstat(folder[name + "/engine/status.sock"], &status) == 0 && status.st_mode & 0o7777 == 0o600)
      agent.signal(SIGINT)
      #expect(try agent.wait().status == 0)
    }

    @Test("clients that stall, of the status and of the metrics, hold nothing up and are ended")
    func stalledClients() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      for number in 0..<3000 { graph.add("noop", "\(number) \(String(repeating: "x", count: 100))") }
      let agent = try AgentProcess(folder, graph: graph.text, options: Self.prometheus)
      let port = try port(agent)
      agent.expectConverged()
      let socket = folder["state/engine/status.sock"]
      let silent = try ClientSocket(path: socket)
      let deaf = try ClientSocket(path: socket)
      deaf.send("watch json\n")
      var web: [ClientSocket] = []
      for number in 0..<40 {
        web.append(try ClientSocket(port: port))
        if number % 2 == 0 { web.last?.send("GET /metrics HTTP/1.1\r\nHost:") }
      }
      for _ in 0..<20 {
        try folder.write("f", "spoiled\n")
        #expect(poll { folder.read("f") == "as asked\n" })
      }
      #expect(try samples(port).contains("mgmt_resources{kind=\"file\"} 1"), "forty that stall keep nobody out")
      #expect(poll { (try? status(folder))?.status == 0 })
      #expect(silent.isEnded(), "it never asked")
      #expect(deaf.isEnded(), "it never read")
      #expect(try agent.stop().status == 0)
    }

    // MARK: Lock and service manager

    @Test("a second agent with the same prefix is refused with the first one's pid; a killed one's lock hinders nobody")
    func lock() throws {
      let folder = try TemporaryFolder()
      let first = try AgentProcess(folder, graph: GraphText().text)
      #expect(poll { folder.exists("state/engine/status.sock") })
      let second = try Mgmt.run(["run", "--prefix", folder["state"], "--converged-timeout=0", "empty"])
      #expect(second.status == 1)
      #expect(
        second.err.contains("another mgmt (pid \(first.running.pid)) uses the prefix \(folder["state"])"), "\(second.err)")
      #expect(second.err.contains("hint:") && second.err.contains("--tmp-prefix"))
      #expect(try status(folder).status == 0, "the first one's socket is untouched")
      first.running.signal(SIGKILL)
      _ = try first.running.wait()
      let third = try Mgmt.run(["run", "--prefix", folder["state"], "--converged-timeout=0", "empty"])
      #expect(third.status == 0, "\(third.err)")
    }

    @Test("the service manager hears READY, signs of life, how things stand, and STOPPING")
    func service() throws {
      let folder = try TemporaryFolder()
      let manager = try ClientSocket(manager: folder["notify"])
      try folder.write("graph.yaml", graph(folder))
      let agent = try Running(
        [Mgmt.binary, "run", "--prefix", folder["state"], "yaml", folder["graph.yaml"]],
        environment: ["NOTIFY_SOCKET": folder["notify"], "WATCHDOG_USEC": "200000"])
      var heard: [String] = []
      func hears(_ matches: (String) -> Bool) -> Bool {
        poll {
          heard += manager.messages()
          return heard.contains(where: matches)
        }
      }
      #expect(hears { $0 == "READY=1\n" }, "\(heard)")
      #expect(try status(folder).status == 2, "ready: the status socket is there")
      #expect(
        poll {
          heard += manager.messages()
          return heard.filter { $0 == "WATCHDOG=1\n" }.count >= 3
        })
      #expect(hears { $0.hasPrefix("STATUS=3 resources, ") && $0.contains("1 failed") }, "\(heard)")
      #expect(!heard.contains("STOPPING=1\n"))
      agent.signal(SIGTERM)
      #expect(hears { $0 == "STOPPING=1\n" })
      #expect(heard.filter { $0 == "READY=1\n" }.count == 1)
      _ = try agent.wait()
    }

    @Test("the unit for systemd is installed, and starts the program that is beside it")
    func unit() throws {
      let text = try String(contentsOfFile: Mgmt.stage + "/lib/systemd/system/mgmt.service", encoding: .utf8)
      let lines = text.split(separator: "\n").map(String.init)
      for line in [
        "Type=notify", "NotifyAccess=main", "WatchdogSec=30s", "Restart=always", "RestartSec=5s", "LimitNOFILE=65536",
      ] {
        #expect(lines.contains(line), "\(line)")
      }
      #expect(lines.contains("ExecStart=\"\(Mgmt.binary)\" run empty"), "\(text)")
    }
  }
}
