// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Gives a name to one file after the other, by links and renames, on a thread of its own.
final class Swapper: @unchecked Sendable {
  private let ended: UnsafeMutablePointer<Int32>
  private var thread = pthread_t()

  init(_ name: String, _ targets: [String]) {
    let ended = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    ended.initialize(to: 0)
    self.ended = ended
    let body = Body(name: name, targets: targets, ended: ended)
    let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
      pointer.flatMap { Unmanaged<Body>.fromOpaque($0).takeRetainedValue().run() }
    }
    pthread_create(&thread, nil, start, Unmanaged.passRetained(body).toOpaque())
  }

  func stop() {
    ended.pointee = 1
    pthread_join(thread, nil)
    ended.deallocate()
  }

  private final class Body {
    let name: String
    let targets: [String]
    let ended: UnsafeMutablePointer<Int32>

    init(name: String, targets: [String], ended: UnsafeMutablePointer<Int32>) {
      self.name = name
      self.targets = targets
      self.ended = ended
    }

    func run() -> UnsafeMutableRawPointer? {
      while ended.pointee == 0 {
        for target in targets {
          link(target, name + ".next")
          rename(name + ".next", name)
          unlink(name + ".next")
        }
      }
      unlink(name)
      return nil
    }
  }
}
