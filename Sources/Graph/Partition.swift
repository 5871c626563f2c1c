// SPDX-License-Identifier: Apache-2.0

/// Items by class, in each class in the order they were given. Two flat arrays, made in linear time.
struct Partition {
  /// The items of class c are `items[starts[c]..<starts[c + 1]]`.
  let starts: [Int]
  let items: [Int]

  /// Items with a class outside `0..<classCount` are left out.
  init(classCount: Int, items given: some Collection<Int>, classOf: (Int) -> Int) {
    let classes = 0..<classCount
    var starts = [Int](repeating: 0, count: classCount + 1)
    for item in given where classes.contains(classOf(item)) { starts[classOf(item) + 1] += 1 }
    for number in classes { starts[number + 1] += starts[number] }
    var next = starts
    var items = [Int](repeating: 0, count: starts[classCount])
    for item in given where classes.contains(classOf(item)) {
      items[next[classOf(item)]] = item
      next[classOf(item)] += 1
    }
    self.starts = starts
    self.items = items
  }

  var classCount: Int { starts.count - 1 }

  /// Where the items of a class are in `items`.
  func range(of number: Int) -> Range<Int> {
    starts[number]..<starts[number + 1]
  }

  func items(of number: Int) -> ArraySlice<Int> {
    items[range(of: number)]
  }
}
