// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// The directory for state, and the files the agent writes for people, against accidents and other users.
  @Suite struct StateFolder {
    private static let setpriv = "/usr/bin/setpriv"
    private static let canBecomeNobody = Mgmt.isRoot && FileManager.default.isExecutableFile(atPath: Self.setpriv)
    private static let nobody = [setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func second(_ wrapper: [String] = []) throws -> Finished {
      try Mgmt.command(
        wrapper + [Mgmt.binary, "run", "--prefix", folder["state"], "--converged-timeout=0", "empty"], bound: 30)
    }

    @Test("a second agent is refused, also when the directory was removed under the first")
    func secondAgent() throws {
      let agent = try AgentProcess(folder, graph: GraphText().text)
      agent.expectConverged()
      for isRemoved in [false, true, true] {
        if isRemoved { try? FileManager.default.removeItem(atPath: folder["state"]) }
        let finished = try second()
        #expect(finished.status == 1, "\(finished.err)")
        #expect(finished.err.contains("another mgmt (pid \(agent.running.pid)) uses the prefix"), "\(finished.err)")
      }
      #expect(try agent.stop().status == 0)
      #expect(try second().status == 0)
    }

    @Test(
      "a name that another user holds keeps no agent from starting",
      .enabled(
        if: canBecomeNobody && FileManager.default.isExecutableFile(atPath: "/usr/bin/perl"), "it needs root, setpriv and perl")
    )
    func squatted() throws {
      let agent = try AgentProcess(folder, graph: GraphText().text)
      agent.expectConverged()
      let inode = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(agent.running.pid)/fd").compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(agent.running.pid)/fd/\($0)")
      }.filter { $0.hasPrefix("socket:[") }.map { String($0.dropFirst(8).dropLast()) }
      let sockets = try String(contentsOfFile: "/proc/net/unix", encoding: .utf8).split(separator: "\n").map {
        $0.split(separator: " ")
      }
      let name = try #require(sockets.first { $0.count == 8 && inode.contains(String($0[6])) && $0[7].hasPrefix("@mgmt-") }?[7])
      #expect(try agent.stop().status == 0)
      let squat =
        "use Socket; socket(S,PF_UNIX,SOCK_STREAM,0); bind(S,pack('Sa*',1,\"\\0\(name.dropFirst())\")) or die; listen(S,1); $|=1; print 1; sleep 60"
      let squatter = try Running(Self.nobody + ["/usr/bin/perl", "-e", squat])
      #expect(poll { squatter.out == "1" || !squatter.process.isRunning }, "\(squatter.err)")
      #expect(squatter.process.isRunning, "\(squatter.err)")
      #expect(try second().status == 0)
      squatter.signal(SIGKILL)
    }

    @Test("--tmp-prefix is removed at the end, whatever the end is", arguments: ["empty", "graph", "refused"])
    func temporary(_ how: String) throws {
      try folder.makeFolder("tmp")
      var graph = GraphText()
      graph.shell("e", "echo made >\(folder["made"])")
      let file = try folder.write("g.yaml", how == "refused" ? "graph: [" : graph.text)
      let frontend = how == "empty" ? ["empty"] : ["yaml", file]
      let finished = try Mgmt.run(
        ["run", "--tmp-prefix", "--converged-timeout=0"] + frontend, environment: ["TMPDIR": folder["tmp"]])
      #expect(finished.status == (how == "refused" ? 1 : 0), "\(finished.err)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder["tmp"]) == [])
    }

    @Test("a link in --tmp-prefix is removed and not followed; that of --allow-tmp-prefix is removed too")
    func links() throws {
      try folder.makeFolder("tmp")
      try folder.makeFolder("precious")
      try folder.write("precious/file", "precious")
      try folder.write("nothing", "")
      let running = try Running(
        [Mgmt.binary, "run", "--prefix", folder["nothing/below"], "--allow-tmp-prefix", "--json", "empty"],
        environment: ["TMPDIR": folder["tmp"]])
      #expect(poll { running.out.contains("\"graph\"") }, "\(running.err)")
      let prefix = try #require(FileManager.default.contentsOfDirectory(atPath: folder["tmp"]).first)
      try #require(symlink(folder["precious"], folder["tmp/\(prefix)/link"]) == 0)
      try folder.makeFolder("tmp/\(prefix)/a/b/c")
      running.signal(SIGINT)
      #expect(try running.wait().status == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder["tmp"]) == [])
      #expect(folder.read("precious/file") == "precious")
    }

    @Test(
      "--graphviz replaces links of others and never writes through them",
      .enabled(if: canBecomeNobody, "it needs root and setpriv"))
    func graphviz() throws {
      try folder.makeFolder("open")
      chmod(folder["open"], 0o777)
      try folder.write("precious", "precious")
      for name in ["g", "g.png"] {
        let made = try Mgmt.command(Self.nobody + ["/bin/ln", "-s", folder["precious"], folder["open/" + name]])
        try #require(made.status == 0)
      }
      let file = try folder.write("graph.yaml", "graph: g\nresources:\n  noop:\n  - name: a\n")
      let agent = try Running(
        [Mgmt.binary, "run", "--prefix", folder["state"], "--graphviz", folder["open/g"], "yaml", file])
      #expect(poll { agent.err.contains("graphviz: wrote") || agent.err.contains("graphviz: cannot") }, "\(agent.err)")
      agent.signal(SIGINT)
      _ = try agent.wait()
      #expect(folder.read("precious") == "precious")
      #expect(folder.read("open/g")?.hasPrefix("digraph") == true)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder["open"])
      #expect(Set(names) == ["g", "g.png"], "\(names)")
      for name in names {
        var status = stat()
        #expect(lstat(folder["open/" + name], &status) == 0)
        let isPicture = name == "g.png"
        // Without Graphviz the link stays as it is.
        if isPicture, !agent.err.contains("and \(folder["open/g.png"])") { continue }
        #expect(status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o777 == 0o600 && status.st_uid == 0, "\(name)")
        if isPicture {
          #expect(try Data(contentsOf: URL(filePath: folder["open/g.png"])).starts(with: [0x89, 0x50, 0x4e, 0x47]))
        }
      }
    }

    @Test(
      "the line of how things stand never counts below nothing",
      .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script"), "there is no script(1) to make a terminal"))
    func statusLine() throws {
      var graph = GraphText()
      for number in 0..<2000 { graph.add("noop", "n\(number)") }
      let file = try folder.write("g.yaml", graph.text)
      let run = "'\(Mgmt.binary)' run --prefix '\(folder["state"])' --converged-timeout=0 yaml '\(file)'"
      let ran = try Mgmt.command(["/usr/bin/script", "-qec", run, "/dev/null"], environment: ["TERM": "xterm"])
      #expect(ran.status == 0 && ran.out.contains(" resources: "), "\(ran)")
      #expect(!ran.out.contains("-") || ran.out.firstMatch(of: /: -\d+ ok/) == nil)
    }
  }
}
