// SPDX-License-Identifier: Apache-2.0

/// Counting semaphores by id: `name`, `name:N`, `:N`; N after the last colon, else 1. The size is fixed at first use.
struct Semaphores {
  private struct Semaphore {
    var free: Int
    var waiting: [Int] = []
  }
  private var table: [String: Semaphore] = [:]

  /// The size an id asks for.
  static func size(of id: String) -> Int {
    guard let colon = id.lastIndex(of: ":"), let number = Int(id[id.index(after: colon)...]), number > 0 else { return 1 }
    return number
  }

  /// Takes one of `id` for a vertex; false: it waits in line.
  mutating func take(_ id: String, for vertex: Int) -> Bool {
    var semaphore = table[id] ?? Semaphore(free: Self.size(of: id))
    defer { table[id] = semaphore }
    if semaphore.free > 0 {
      semaphore.free -= 1
      return true
    }
    semaphore.waiting.append(vertex)
    return false
  }

  /// Gives one of `id` back. Returns the vertex that has it now, if one waited.
  mutating func give(_ id: String) -> Int? {
    guard var semaphore = table[id] else { return nil }
    defer { table[id] = semaphore }
    if semaphore.waiting.isEmpty {
      semaphore.free += 1
      return nil
    }
    return semaphore.waiting.removeFirst()
  }

  /// Takes a vertex out of the line for `id`.
  mutating func leave(_ id: String, _ vertex: Int) {
    table[id]?.waiting.removeAll { $0 == vertex }
  }
}
