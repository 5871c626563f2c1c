// SPDX-License-Identifier: Apache-2.0

public import Engine

/// The state of a resource in one word.
public enum ShownState: String, Sendable, CaseIterable {
  case ok, running, waiting, starting, differs, fight, failed, blocked, hidden
  /// It has left the graph: only in what watchers are sent.
  case removed

  public init(_ status: ResourceStatus) {
    self =
      if status.isHidden {
        .hidden
      } else if status.fight != nil, status.phase != .failed {
        .fight
      } else {
        switch status.phase {
        case .starting: .starting
        case .waiting: .waiting
        case .running: .running
        case .ok: .ok
        case .differs: .differs
        case .failed: .failed
        case .blocked: .blocked
        }
      }
  }

  /// Nothing is left to do.
  var isAsAsked: Bool { self == .ok || self == .hidden || self == .removed }

  fileprivate var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// How many resources are in which state.
public struct StatusCounts: Sendable, Equatable {
  private var numbers = [Int](repeating: 0, count: ShownState.allCases.count)

  public init() {}

  public init(_ all: [ResourceStatus]) {
    for status in all { add(ShownState(status)) }
  }

  public mutating func add(_ state: ShownState) { numbers[state.index] += 1 }

  public subscript(_ state: ShownState) -> Int { numbers[state.index] }

  public var total: Int { numbers.reduce(0, +) }

  var notAsAsked: Int { ShownState.allCases.reduce(0) { $0 + ($1.isAsAsked ? 0 : self[$1]) } }

  /// `4 resources, 2 ok, 1 failed, 1 blocked`
  public var words: String {
    var text = total == 1 ? "1 resource" : "\(total) resources"
    for state in ShownState.allCases where self[state] > 0 { text += ", \(self[state]) \(state.rawValue)" }
    return text
  }
}
