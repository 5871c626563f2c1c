// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import Frontends
import Graph
import Reactor
import Testing

/// A source on a reactor of its own, in a directory of its own. Waits end with what is waited for, or after many seconds.
private final class Scene {
  let directory = FileManager.default.temporaryDirectory.appendingPathComponent("yaml-\(UUID().uuidString)").path
  let reactor: Reactor
  var yielded: [String] = []
  /// How often it was looked and nothing was new.
  var unchanged = 0
  private var source: (any GraphSource)?

  init() throws {
    reactor = try Reactor()
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit {
    source?.stop()
    try? FileManager.default.removeItem(atPath: directory)
  }

  func path(_ name: String = "g.yaml") -> String { directory + "/" + name }

  func write(_ text: String, _ name: String = "g.yaml") throws {
    try text.write(toFile: path(name), atomically: false, encoding: .utf8)
  }

  func start(_ source: any GraphSource) throws {
    self.source = source
    try source.start(on: reactor) { [unowned self] result in
      switch result {
      case .graph(let graph): yielded.append(graph.graph.name)
      case .rejection(let error): yielded.append(error.diagnostics.map(\.code).joined(separator: ","))
      case .notice(let all): yielded.append("notice: " + all.map(\.code).joined(separator: ","))
      case .unchanged: unchanged += 1
      }
    }
  }

  func start(watch: Bool = true) throws { try start(YAMLSource(path: path(), catalog: TestCatalog(), watch: watch)) }

  func reload() { source?.reload() }

  /// Runs until so many results came.
  func wait(_ count: Int) throws {
    let deadline = monotonicNow() + 30_000_000_000
    while yielded.count < count, monotonicNow() < deadline { try reactor.runOnce(maximumWait: 100) }
  }
}

@Suite("YAMLSource", .serialized)
struct YAMLSourceTests {
  @Test("yields the graph, then each edit of another content, however it is written")
  func edits() throws {
    let scene = try Scene()
    try scene.write("graph: one")
    try scene.start()
    try scene.wait(1)
    try scene.write("graph: two")
    try scene.wait(2)
    try scene.write("graph: three", "new")
    #expect(rename(scene.path("new"), scene.path()) == 0)
    try scene.wait(3)
    // The same bytes yield nothing; what comes next does.
    try scene.write("graph: three")
    try scene.write("graph: [")
    try scene.wait(4)
    try scene.write("graph: four")
    try scene.wait(5)
    #expect(scene.yielded.filter { $0 != "yaml.empty" } == ["one", "two", "three", "yaml.syntax", "four"])
  }

  @Test("follows a symbolic link to its target and to another")
  func links() throws {
    let scene = try Scene()
    try FileManager.default.createDirectory(atPath: scene.path("d"), withIntermediateDirectories: false)
    try scene.write("graph: one", "d/a")
    try scene.write("graph: two", "d/b")
    #expect(symlink("d/a", scene.path()) == 0)
    try scene.start()
    try scene.wait(1)
    try scene.write("graph: three", "d/a")
    try scene.wait(2)
    #expect(symlink("d/b", scene.path("link")) == 0)
    #expect(rename(scene.path("link"), scene.path()) == 0)
    try scene.wait(3)
    #expect(scene.yielded.filter { $0 != "yaml.empty" }.prefix(3) == ["one", "three", "two"])
  }

  @Test("tells that the file is gone, and takes it when it is back")
  func gone() throws {
    let scene = try Scene()
    try scene.write("graph: one")
    try scene.start()
    try scene.wait(1)
    #expect(unlink(scene.path()) == 0)
    try scene.wait(2)
    try scene.write("graph: two")
    try scene.wait(3)
    #expect(scene.yielded.filter { $0 != "yaml.empty" } == ["one", "yaml.file", "two"])
  }

  @Test(
    "a directory that is moved away is no refused graph; its return is seen, however deep it was", arguments: [false, true])
  func directoryMoved(deep: Bool) throws {
    let scene = try Scene()
    try FileManager.default.createDirectory(atPath: scene.path("a/b"), withIntermediateDirectories: true)
    try scene.write("graph: one", "a/b/g")
    try scene.start(YAMLSource(path: scene.path("a/b/g"), catalog: TestCatalog(), watch: true))
    try scene.wait(1)
    #expect(rename(scene.path("a/b"), scene.path("away")) == 0)
    if deep { #expect(rmdir(scene.path("a")) == 0) }
    try scene.wait(3)
    #expect(scene.yielded == ["one", "notice: yaml.watch", "yaml.file"])
    if deep { #expect(mkdir(scene.path("a"), 0o700) == 0) }
    #expect(rename(scene.path("away"), scene.path("a/b")) == 0)
    try scene.wait(4)
    try scene.write("graph: two", "a/b/g")
    try scene.wait(5)
    #expect(scene.yielded.dropFirst(3).filter { $0 != "yaml.empty" } == ["one", "two"])
  }

  @Test("what is saved as it was yields nothing but the news that nothing is new")
  func unchanged() throws {
    let scene = try Scene()
    try scene.write("graph: one")
    try scene.start()
    try scene.wait(1)
    try scene.write("graph: one", "new")
    #expect(rename(scene.path("new"), scene.path()) == 0)
    let deadline = monotonicNow() + 30_000_000_000
    while scene.unchanged == 0, monotonicNow() < deadline { try scene.reactor.runOnce(maximumWait: 100) }
    #expect(scene.unchanged > 0 && scene.yielded == ["one"])
  }

  @Test("yields the same graph again when it is to be reloaded")
  func reload() throws {
    let scene = try Scene()
    try scene.write("graph: one")
    try scene.start(watch: false)
    try scene.wait(1)
    scene.reload()
    try scene.wait(2)
    #expect(scene.yielded == ["one", "one"])
  }

  @Test("the empty source yields one empty graph")
  func empty() throws {
    let scene = try Scene()
    try scene.start(EmptySource())
    try scene.wait(1)
    #expect(scene.yielded == ["empty"])
  }

  @Test("refuses what is no regular file, and large ones, without reading them")
  func refusals() throws {
    let scene = try Scene()
    func title(_ path: String) -> String {
      guard case .failure(let error) = YAMLSource.load(path: path, catalog: TestCatalog()) else { return "accepted" }
      return error.diagnostics.first?.title.replacingOccurrences(of: scene.directory, with: "") ?? ""
    }
    #expect(title(scene.path("none")) == "\"/none\" cannot be found: No such file or directory")
    #expect(title(scene.directory) == "\"\" is a directory")
    #expect(title("/dev/zero") == "\"/dev/zero\" is a device")
    #expect(mkfifo(scene.path("fifo"), 0o600) == 0)
    #expect(title(scene.path("fifo")) == "\"/fifo\" is a named pipe")
    try scene.write("", "large")
    #expect(truncate(scene.path("large"), 100_000_000) == 0)
    #expect(title(scene.path("large")) == "\"/large\" is too large for a graph: 100000000 bytes")
    try scene.write("", "empty")
    #expect(
      title(scene.path("empty")) == "\(scene.directory)/empty is empty".replacingOccurrences(of: scene.directory, with: ""))
  }
}
