// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Runs jobs one after the other on one thread, which starts with the first job. For disk writes the reactor must not wait for.
final class BackgroundQueue: Sendable {
  typealias Job = @Sendable () -> Void

  private struct State {
    var jobs: [Job] = []
    var thread: pthread_t?
    var isFinished = false
  }

  private let state = Mutex(State())
  /// Counts what there is to look at; an address, because a semaphore must not move.
  private let wakeUp: SemaphoreBox

  init() {
    wakeUp = SemaphoreBox()
  }

  /// Runs `job` on the queue's thread, or at once when there can be no thread.
  func run(_ job: @escaping Job) {
    let isQueued = state.withLock { state in
      guard !state.isFinished, state.thread != nil || start(&state) else { return false }
      state.jobs.append(job)
      return true
    }
    if isQueued { wakeUp.post() } else { job() }
  }

  /// Waits until all jobs are done; afterwards jobs run at once.
  func finish() {
    let thread = state.withLock { state in
      state.isFinished = true
      return state.thread.take()
    }
    guard let thread else { return }
    wakeUp.post()
    pthread_join(thread, nil)
  }

  private func start(_ state: inout State) -> Bool {
    var thread = pthread_t()
    let queue = Unmanaged.passRetained(self)
    let error = pthread_create(
      &thread, nil,
      { user in
        if let user { Unmanaged<BackgroundQueue>.fromOpaque(user).takeRetainedValue().loop() }
        return nil
      }, queue.toOpaque())
    guard error == 0 else {
      queue.release()
      return false
    }
    state.thread = thread
    return true
  }

  private func loop() {
    while true {
      wakeUp.wait()
      let (jobs, isFinished) = state.withLock { state in
        defer { state.jobs = [] }
        return (state.jobs, state.isFinished)
      }
      for job in jobs { job() }
      if isFinished { return }
    }
  }
}

/// A semaphore at a fixed address.
private final class SemaphoreBox: @unchecked Sendable {
  // sem_post and sem_wait may be called from any thread.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func post() { sem_post(semaphore) }

  func wait() {
    while sem_wait(semaphore) != 0 && errno == EINTR {}
  }
}
