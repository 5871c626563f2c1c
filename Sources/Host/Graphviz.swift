// SPDX-License-Identifier: Apache-2.0

import Glibc
import Graph
import Reactor

/// Writes graphs for Graphviz: the text at once, the picture by Graphviz's program in the background.
final class Graphviz {
  static let filters = ["dot", "neato", "twopi", "circo", "fdp", "sfdp", "patchwork", "osage"]

  private let path: String
  private let filter: String
  private let reactor: Reactor
  /// Of the graphs; the picture of one that is not the latest any more is not wanted.
  private var latest = 0

  private static let maximumPicture = 256 << 20

  init(path: String, filter: String, reactor: Reactor) {
    self.path = path
    self.filter = filter
    self.reactor = reactor
  }

  /// `log` hears what went wrong, and when the picture is there.
  func write(_ graph: ResourceGraph, log: @escaping (String) -> Void) {
    latest += 1
    let number = latest
    if let failure = NewFile.write(Array(graph.dotText.utf8), as: path) {
      return log("graphviz: cannot write \(path): \(failure)")
    }
    var request = SpawnRequest([filter, "-Tpng", path], environment: ["PATH=\(Environment["PATH"] ?? "/usr/bin:/bin")"])
    request.timeoutMilliseconds = 60_000
    var picture: [UInt8] = []
    var complaint: [UInt8] = []
    let listen = { (fd: Int32, bytes: UnsafeRawBufferPointer) in
      if fd == 1, picture.count <= Self.maximumPicture { picture.append(contentsOf: bytes) }
      if fd == 2, complaint.count < 500 { complaint.append(contentsOf: bytes.prefix(500)) }
    }
    reactor.spawn(request, output: listen) { [weak self] how, timedOut in
      guard let self, number == latest else { return }
      switch how {
      case _ where timedOut: log("graphviz: \(filter) took longer than a minute and was stopped")
      case .exited(0) where picture.count > Self.maximumPicture: log("graphviz: wrote \(path), but no picture: it is too large")
      case .exited(0): log(keep(picture))
      case .notStarted(let number, let step):
        log("graphviz: wrote \(path), but no picture: cannot \(step): \(systemMessage(number)); install Graphviz")
      default: log("graphviz: wrote \(path), but no picture: \(filter) failed: \(String(decoding: complaint, as: UTF8.self))")
      }
    }
  }

  private func keep(_ picture: [UInt8]) -> String {
    let name = path + ".png"
    if let failure = NewFile.write(picture, as: name) { return "graphviz: wrote \(path), but no picture: \(name): \(failure)" }
    return "graphviz: wrote \(path) and \(name)"
  }
}
