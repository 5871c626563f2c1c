// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// The kernel's limits of inotify.
  @Suite struct WatchLimits {
    /// A user namespace has limits of its own, which only count for it.
    private static func limited(_ name: String, _ number: Int) -> [String] {
      ["/usr/bin/unshare", "-Ur", "/bin/sh", "-c", "echo \(number) >/proc/sys/user/\(name) && exec \"$@\"", "sh"]
    }

    static let isPossible: Bool = (try? Mgmt.command(limited("max_inotify_watches", 2) + ["/bin/true"]))?.status == 0

    @Test("no watch left: the sysctl is named, convergence is not claimed", .enabled(if: isPossible, "no user namespaces here"))
    func watches() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      for number in 0..<5 {
        try folder.makeFolder("d\(number)")
        graph.file(folder["d\(number)/f"], "as asked\n", "f\(number)")
      }
      let agent = try AgentProcess(
        folder, graph: graph.text, options: ["--converged-exit", "--no-watch"],
        prefixCommand: Self.limited("max_inotify_watches", 6))
      #expect(try agent.running.wait().status == 1)
      #expect(!agent.claimedConvergence)
      let text = agent.diagnosticText
      #expect(text.contains("fs.inotify.max_user_watches"), "\(text)\n\(agent.running.err)")
      let failed = agent.end?.members["failed"] as? [String] ?? []
      #expect(!failed.isEmpty && failed.allSatisfy { $0.hasPrefix("file[f") }, "\(failed)")
    }

    @Test(
      "no watch left for a directory in a tree: it is named, the tree is copied all the same",
      .enabled(if: isPossible, "no user namespaces here"))
    func watchesOfATree() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("d")
      for number in 0..<20 {
        try folder.makeFolder("s/\(number)")
        try folder.write("s/\(number)/f", "\(number)\n")
      }
      var graph = GraphText()
      graph.add(
        "file", "copy", ["path": folder["d"] + "/", "state": "exists", "source": folder["s"] + "/", "recurse": true])
      let agent = try AgentProcess(
        folder, graph: graph.text, options: ["--no-watch"], prefixCommand: Self.limited("max_inotify_watches", 12))
      agent.expectConverged()
      for number in 0..<20 { #expect(folder.read("d/\(number)/f") == "\(number)\n") }
      let warnings = agent.logged().filter { $0.contains("cannot watch \(folder.path)") }
      #expect(!warnings.isEmpty && warnings.allSatisfy { $0.contains("fs.inotify.max_user_watches") }, "\(agent.logged())")
      #expect(try agent.stop().status == 0)
    }

    @Test("no watch left even for the graph's file", .enabled(if: isPossible, "no user namespaces here"))
    func noWatchAtAll() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      let agent = try AgentProcess(
        folder, graph: graph.text, options: ["--converged-exit"], prefixCommand: Self.limited("max_inotify_watches", 0))
      #expect(try agent.running.wait().status == 1)
      #expect(!agent.claimedConvergence)
      let text = agent.diagnosticText + agent.running.err
      #expect(text.contains("max_user_watches"), "\(text)")
    }

    @Test(
      "a directory in a tree that may not be read: it is named, the resource lives; with the permission it is watched",
      .enabled(if: Mgmt.isRoot && access("/usr/bin/setpriv", X_OK) == 0, "needs root and setpriv"))
    func permission() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("d")
      var graph = GraphText()
      graph.add("file", "d", ["path": folder["d"] + "/", "state": "exists", "recurse": true])
      try folder.makeFolder("state")
      for name in ["d", "state"] { #expect(chown(folder[name], 65534, 65534) == 0) }
      let agent = try AgentProcess(
        folder, graph: graph.text,
        prefixCommand: ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"])
      agent.expectConverged()
      #expect(mkdir(folder["new"], 0o700) == 0)
      #expect(rename(folder["new"], folder["d/new"]) == 0)
      #expect(poll { agent.logged().contains { $0.contains("cannot watch \(folder["d/new"])") } }, "\(agent.logged())")
      chmod(folder["d/new"], 0o755)
      try folder.makeFolder("d/new/below")
      chmod(folder["d/new/below"], 0o700)
      #expect(poll { agent.logged().contains { $0.contains("cannot watch \(folder["d/new/below"])") } }, "\(agent.logged())")
      #expect(try agent.stop().status == 0)
      #expect(!agent.events.contains { $0.name == "watch-failed" })
    }

    @Test("no inotify instance left", .enabled(if: isPossible, "no user namespaces here"))
    func instances() throws {
      let folder = try TemporaryFolder()
      var graph = GraphText()
      graph.file(folder["f"], "as asked\n")
      let agent = try AgentProcess(
        folder, graph: graph.text, options: ["--converged-exit", "--no-watch"],
        prefixCommand: Self.limited("max_inotify_instances", 0))
      #expect(try agent.running.wait().status == 1)
      #expect(!agent.claimedConvergence)
      #expect(agent.diagnosticText.contains("fs.inotify.max_user_instances"), "\(agent.diagnosticText)")
    }

    @Test("events lost by an overflow of the queue: everything is checked again, nothing stays spoiled")
    func overflow() throws {
      let limit = try #require(
        (try? String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)).flatMap {
          Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        })
      try #require(limit <= 1_000_000, "too many events to make")
      let folder = try TemporaryFolder()
      try folder.makeFolder("files")
      let agent = try AgentProcess(folder, graph: GraphText.files(50, in: folder["files"]) { "\($0)\n" })
      agent.expectConverged()
      agent.running.signal(SIGSTOP)
      #expect(poll { Self.isStopped(agent.running.pid) })
      // Two files by turns, so that the kernel cannot merge equal events; then the spoiling, whose events find the queue full.
      let flood = "i=0; while [ $i -lt \(limit) ]; do i=$((i + 1)); : >files/a; : >files/b; done"
      let finished = try Mgmt.command(["/bin/sh", "-c", flood], in: folder, bound: 300)
      #expect(finished.status == 0, "\(finished.err)")
      for number in 0..<50 { try folder.write("files/\(number)", "spoiled\n") }
      agent.running.signal(SIGCONT)
      for number in 0..<50 {
        #expect(poll { folder.read("files/\(number)") == "\(number)\n" }, "file \(number) stays spoiled")
      }
      #expect(try agent.stop().status == 0)
    }

    private static func isStopped(_ pid: pid_t) -> Bool {
      ((try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? "").contains(") T ")
    }
  }
}
