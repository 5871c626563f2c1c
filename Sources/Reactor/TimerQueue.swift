// SPDX-License-Identifier: Apache-2.0

/// A timer of a reactor. Cancel it from the reactor's thread.
public final class ReactorTimer {
  fileprivate(set) var deadline: UInt64
  fileprivate(set) var order: UInt64 = 0
  /// Place in the heap; -1: not in it.
  fileprivate var place = -1
  var body: (() -> Void)?
  private weak var queue: TimerQueue?

  fileprivate init(deadline: UInt64, queue: TimerQueue, body: @escaping () -> Void) {
    self.deadline = deadline
    self.queue = queue
    self.body = body
  }

  /// Afterwards the body never runs.
  public func cancel() {
    body = nil
    queue?.remove(self)
  }
}

/// Timers by deadline: a binary heap, in the order of addition where deadlines are equal.
final class TimerQueue {
  private var heap: [ReactorTimer] = []
  private var nextOrder: UInt64 = 0

  var earliest: UInt64? { heap.first?.deadline }

  func add(deadline: UInt64, _ body: @escaping () -> Void) -> ReactorTimer {
    let timer = ReactorTimer(deadline: deadline, queue: self, body: body)
    nextOrder += 1
    timer.order = nextOrder
    heap.append(timer)
    timer.place = heap.count - 1
    siftUp(timer.place)
    return timer
  }

  /// The next timer whose time has come, taken out.
  func pop(now: UInt64) -> ReactorTimer? {
    guard let first = heap.first, first.deadline <= now else { return nil }
    remove(first)
    return first
  }

  func remove(_ timer: ReactorTimer) {
    let place = timer.place
    guard heap.indices.contains(place), heap[place] === timer else { return }
    let last = heap.count - 1
    swap(place, last)
    heap.removeLast()
    timer.place = -1
    if place < heap.count {
      siftUp(place)
      siftDown(place)
    }
  }

  private func comesBefore(_ a: ReactorTimer, _ b: ReactorTimer) -> Bool {
    (a.deadline, a.order) < (b.deadline, b.order)
  }

  private func swap(_ a: Int, _ b: Int) {
    heap.swapAt(a, b)
    heap[a].place = a
    heap[b].place = b
  }

  private func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard comesBefore(heap[child], heap[parent]) else { return }
      swap(child, parent)
      child = parent
    }
  }

  private func siftDown(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && comesBefore(heap[child], heap[least]) {
        least = child
      }
      guard least != parent else { return }
      swap(parent, least)
      parent = least
    }
  }
}
