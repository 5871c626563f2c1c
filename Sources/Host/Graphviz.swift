// SPDX-License-Identifier: Apache-2.0

import Glibc
import Graph
import Reactor

/// Writes graphs for Graphviz: the text at once, the picture by Graphviz's program in the background.
enum Graphviz {
  static let filters = ["dot", "neato", "twopi", "circo", "fdp", "sfdp", "patchwork", "osage"]

  /// `log` hears what went wrong, and when the picture is there.
  static func write(_ graph: ResourceGraph, to path: String, filter: String, reactor: Reactor, log: @escaping (String) -> Void)
  {
    let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard fd >= 0 else { return log("graphviz: cannot write \(path): \(systemMessage(errno))") }
    Output.write(graph.dotText, to: fd)
    close(fd)
    let picture = path + ".png"
    var request = SpawnRequest(
      [filter, "-Tpng", "-o", picture, path], environment: ["PATH=\(Environment["PATH"] ?? "/usr/bin:/bin")"])
    request.timeoutMilliseconds = 60_000
    var complaint = ""
    let listen = { (_: Int32, bytes: UnsafeRawBufferPointer) in
      if complaint.utf8.count < 500 { complaint += String(decoding: bytes.prefix(500), as: UTF8.self) }
    }
    reactor.spawn(request, output: listen) { how, timedOut in
      switch how {
      case _ where timedOut: log("graphviz: \(filter) took longer than a minute and was stopped")
      case .exited(0): log("graphviz: wrote \(path) and \(picture)")
      case .notStarted(let number, let step):
        log("graphviz: wrote \(path), but no picture: cannot \(step): \(systemMessage(number)); install Graphviz")
      default: log("graphviz: wrote \(path), but no picture: \(filter) failed: \(complaint)")
      }
    }
  }
}
