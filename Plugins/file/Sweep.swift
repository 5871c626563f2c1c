// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc

/// Removes what killed agents left behind, once, on a thread of its own: a file system that does not answer holds up nobody.
final class Sweep: @unchecked Sendable {
  // The semaphore locks itself; the rest is constant.
  private let temporaries: Temporaries
  private let done = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  /// nil: there is nothing to do.
  init?(_ temporaries: Temporaries) {
    self.temporaries = temporaries
    sem_init(done, 0, 0)
    if !temporaries.journal.isThere { return nil }
  }

  deinit {
    sem_destroy(done)
    done.deallocate()
  }

  func start() {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(self)
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Sweep>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    if status == 0 { pthread_detach(thread) } else { argument.release() }
  }

  /// Whether it ended within this time.
  func wait(seconds: Int) -> Bool {
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    end.tv_sec += seconds
    while sem_timedwait(done, &end) != 0 { if errno != EINTR { return false } }
    return true
  }

  private func run() {
    temporaries.journal.swept(leaving: temporaries.journal.read().filter { !sweep($0) })
    sem_post(done)
  }

  /// False: it has to be looked at again.
  private func sweep(_ path: Journal.Path) -> Bool {
    let directory = FileDescriptor(openWithoutLinks(path))
    guard directory.raw >= 0 else { return errno == ENOENT || errno == ENOTDIR || errno == ELOOP }
    guard let names = try? list(directory.raw, "", where: TemporaryName.matches) else { return false }
    var isDone = true
    for name in names where !temporaries.isOurs(name) {
      let leftover = Leftover(directory.raw, name)
      switch leftover.state {
      case .dead: if unlinkat(directory.raw, name, 0) != 0 && errno != ENOENT { isDone = false }
      case .inUse: isDone = false
      case .foreign: break
      }
    }
    return isDone
  }

  /// The directory that was written to, never one that a link leads to now. -1 and errno.
  private func openWithoutLinks(_ path: Journal.Path) -> Int32 {
    var current = FileDescriptor(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    for component in path.split(separator: UInt8(ascii: "/")) {
      if component.elementsEqual("..".utf8) {
        errno = ELOOP
        return -1
      }
      let name = component.map { CChar(bitPattern: $0) } + [0]
      let next = openat(current.raw, name, shim_o_path | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard next >= 0 else { return -1 }
      current = FileDescriptor(next)
    }
    return openat(current.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  }
}
