// SPDX-License-Identifier: Apache-2.0

extension Scheduler {
  /// One after the other in the order of their ids; true: it has them all.
  mutating func acquire(_ vertex: Int) -> Bool {
    guard let ids = semaphoreIDs[vertex] else { return true }
    var held = semaphoresHeld[vertex] ?? 0
    while held < ids.count {
      guard semaphores.take(ids[held], for: vertex) else {
        semaphoresHeld[vertex] = held
        set(vertex, .acquiring)
        return false
      }
      held += 1
    }
    semaphoresHeld[vertex] = held
    return true
  }

  mutating func releaseSemaphores(_ vertex: Int) {
    guard let ids = semaphoreIDs[vertex], let held = semaphoresHeld.removeValue(forKey: vertex) else { return }
    for id in ids.prefix(held) { handOn(id) }
  }

  /// Gives one back; the vertex that gets it goes on where it stood in line.
  private mutating func handOn(_ id: String) {
    guard let next = semaphores.give(id) else { return }
    semaphoresHeld[next, default: 0] += 1
    clear(next, .acquiring)
    queue.append(next)
  }

  /// Of a vertex that does not run: leaves the line and gives back what it holds.
  mutating func giveUpAcquiring(_ vertex: Int) {
    guard let ids = semaphoreIDs[vertex], !flags(of: vertex).contains(.running) else { return }
    let held = semaphoresHeld[vertex] ?? 0
    if flags(of: vertex).contains(.acquiring), held < ids.count { semaphores.leave(ids[held], vertex) }
    clear(vertex, .acquiring)
    releaseSemaphores(vertex)
  }
}
