// SPDX-License-Identifier: Apache-2.0

/// The bare C inotify loop, running.
struct WatchLoop {
  let child: Child

  /// Starts it over `folder` with `count` files and waits until it is ready.
  init(_ programs: Programs, folder: String, count: Int, log: String) throws {
    let child = try programs.start([programs.path("inotify_loop"), folder, String(count)], log: log)
    try Deadline(seconds: 60).until("the inotify loop is ready") {
      if child.hasEnded { throw Failure("inotify_loop has ended early\(child.tail)") }
      return try Proc.text(child.output).contains("ready")
    }
    self.child = child
  }
}
