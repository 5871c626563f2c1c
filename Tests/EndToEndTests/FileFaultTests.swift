// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A tmpfs at a folder, unmounted at its end.
final class SmallDisk {
  /// Whether this process may mount at all: containers often may not.
  static let isPossible: Bool = {
    guard Mgmt.isRoot, let folder = try? TemporaryFolder() else { return false }
    return (try? SmallDisk(folder.path)) != nil
  }()

  let path: String

  init(_ path: String, size: String = "1m") throws {
    self.path = path
    let finished = try Mgmt.command(["/bin/mount", "-t", "tmpfs", "-o", "size=\(size),mode=755", "tmpfs", path])
    guard finished.status == 0 else { throw HarnessError("mount: \(finished.err)") }
  }

  func remount(_ options: String) throws {
    let finished = try Mgmt.command(["/bin/mount", "-o", "remount,\(options)", path])
    guard finished.status == 0 else { throw HarnessError("remount: \(finished.err)") }
  }

  deinit { _ = try? Mgmt.command(["/bin/umount", "-l", path]) }
}

extension EndToEnd {
  /// What file systems do to those who write.
  @Suite struct FileFaults {
    @Test(
      "a full disk that gets room is used, without an event and without retry; until then the failure is one",
      .enabled(if: SmallDisk.isPossible, "only root can mount"))
    func room() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("disk")
      let disk = try SmallDisk(folder["disk"])
      // What makes room lies in another directory than the file that is watched.
      try folder.makeFolder("disk/other")
      try folder.makeFolder("disk/mine")
      try folder.write("disk/other/filler", String(repeating: "x", count: 900_000))
      var graph = GraphText()
      let content = String(repeating: "0123456789abcdef", count: 1 << 14)
      graph.file(folder["disk/mine/f"], content)
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("the failure") { $0.name == "check-ended" && $0.status == "failed" && $0.members["retry"] as? Bool == true }
      agent.expect("that it ends") { $0.name == "stalled" }
      let status = try Mgmt.run(["status", "--prefix", folder["state"]])
      #expect(status.status == 2 && status.out.contains("failed    file[f]"), "\(status.out)")
      try FileManager.default.removeItem(atPath: folder["disk/other/filler"])
      agent.expectConverged()
      #expect(folder.read("disk/mine/f") == content)
      #expect(try agent.stop().status == 0)
      withExtendedLifetime(disk) {}
    }

    @Test(
      "a full disk: the old content is whole, no temporary file is left",
      .enabled(if: SmallDisk.isPossible, "only root can mount"))
    func full() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("disk")
      let disk = try SmallDisk(folder["disk"])
      try folder.write("disk/f", "the old content\n")
      let source = String(repeating: "0123456789abcdef", count: 1 << 17)
      try folder.write("big", source)
      var graph = GraphText()
      graph.add("file", "f", ["path": folder["disk/f"], "state": "exists", "source": folder["big"]])
      graph.add("file", "text", ["path": folder["disk/text"], "state": "exists", "content": source])
      graph.add("noop", "after")
      graph.edge("file[f]", "noop[after]")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 1)
      #expect(folder.read("disk/f") == "the old content\n")
      #expect(folder.names("disk") == ["f"])
      #expect(!agent.claimedConvergence)
      #expect(agent.end?.members["failed"] as? [String] == ["file[f]", "file[text]"])
      #expect(agent.end?.members["unchecked"] as? [String] == ["noop[after]"])
      let text = agent.diagnosticText
      #expect(
        text.contains("No space left on device") && text.contains(folder["disk/f"]) && text.contains("free some space"),
        "\(text)")
      withExtendedLifetime(disk) {}
    }

    @Test(
      "a full disk that gets room again: the next event writes the file",
      .enabled(if: SmallDisk.isPossible, "only root can mount"))
    func roomAgain() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("disk")
      let disk = try SmallDisk(folder["disk"])
      try folder.write("disk/f", "old\n")
      try folder.write("disk/ballast", String(repeating: "x", count: 900_000))
      let content = String(repeating: "y", count: 500_000)
      var graph = GraphText()
      graph.file(folder["disk/f"], content)
      let agent = try AgentProcess(folder, graph: graph.text)
      agent.expect("stalled") { $0.name == "stalled" }
      #expect(folder.read("disk/f") == "old\n")
      unlink(folder["disk/ballast"])
      try folder.write("disk/f", "older\n")
      agent.expectConverged()
      #expect(folder.read("disk/f") == content)
      #expect(try agent.stop().status == 0)
      withExtendedLifetime(disk) {}
    }

    @Test("a read-only file system", .enabled(if: SmallDisk.isPossible, "only root can mount"))
    func readOnly() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("disk")
      let disk = try SmallDisk(folder["disk"])
      try folder.write("disk/f", "old\n")
      try folder.write("disk/g", "as asked\n")
      try disk.remount("ro")
      var graph = GraphText()
      graph.file(folder["disk/f"], "new\n")
      graph.file(folder["disk/g"], "as asked\n")
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 1)
      #expect(folder.read("disk/f") == "old\n")
      #expect(agent.end?.members["failed"] as? [String] == ["file[f]"])
      let text = agent.diagnosticText
      #expect(text.contains("Read-only file system") && text.contains("remount"), "\(text)")
    }

    @Test("a symbolic link out of the tree: what it points to is untouched; force replaces the link", arguments: [false, true])
    func link(_ force: Bool) throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("tree")
      try folder.makeFolder("outside")
      let victim = try folder.write("outside/victim", "precious\n")
      chmod(victim, 0o600)
      #expect(symlink(victim, folder["tree/f"]) == 0)
      var graph = GraphText()
      graph.add("file", "f", ["path": folder["tree/f"], "state": "exists", "content": "new\n", "mode": "0666", "force": force])
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == (force ? 0 : 1))
      var status = stat()
      #expect(lstat(victim, &status) == 0 && status.st_mode & 0o7777 == 0o600)
      #expect(folder.read("outside/victim") == "precious\n")
      #expect(folder.names("outside") == ["victim"])
      #expect(lstat(folder["tree/f"], &status) == 0)
      #expect(status.st_mode & S_IFMT == (force ? S_IFREG : S_IFLNK))
      if force { return #expect(folder.read("tree/f") == "new\n") }
      let text = agent.diagnosticText
      #expect(text.contains(folder["tree/f"]) && text.contains("symbolic link") && text.contains("force: true"), "\(text)")
    }

    @Test("a directory where a file should be, and a file where a directory should be", arguments: [false, true])
    func wrongType(_ force: Bool) throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("f")
      try folder.write("f/inside", "precious\n")
      try folder.write("d", "a file\n")
      var graph = GraphText()
      graph.add("file", "f", ["path": folder["f"], "state": "exists", "content": "new\n", "force": force])
      graph.add("file", "d", ["path": folder["d"] + "/", "state": "exists", "force": force])
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == (force ? 0 : 1))
      if force {
        #expect(folder.read("f") == "new\n")
        #expect(folder.names("d") == [] && folder.read("d") == nil)
        return
      }
      #expect(folder.read("f/inside") == "precious\n" && folder.read("d") == "a file\n")
      #expect(agent.end?.members["failed"] as? [String] == ["file[d]", "file[f]"])
      let text = agent.diagnosticText
      #expect(text.contains("is a directory, not a file") && text.contains("is a file, not a directory"), "\(text)")
      #expect(text.contains("force: true"), "\(text)")
    }

    @Test("a pipe or a device where a file should be is never opened or replaced", arguments: [false, true])
    func pipe(_ force: Bool) throws {
      let folder = try TemporaryFolder()
      #expect(mkfifo(folder["f"], 0o600) == 0)
      var graph = GraphText()
      graph.add("file", "f", ["path": folder["f"], "state": "exists", "content": "new\n", "force": force])
      let agent = try AgentProcess(folder, graph: graph.text, options: ["--converged-exit"])
      #expect(try agent.running.wait().status == 1)
      var status = stat()
      #expect(lstat(folder["f"], &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
      #expect(agent.diagnosticText.contains("remove it by hand"), "\(agent.diagnosticText)")
    }
  }
}
