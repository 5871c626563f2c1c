// SPDX-License-Identifier: Apache-2.0

/// Counts packages that failed alone, one after the other, for the same reason. What so many have in common is no fault of theirs,
/// whatever PackageKit calls it: the rest is not tried one by one.
struct FailureStreak: Equatable, Sendable {
  static let limit = 8
  private var reason: TransactionProblem?
  private var count = 0
  /// What failed `limit` times in a row.
  private(set) var common: TransactionProblem?

  mutating func failed(_ problem: TransactionProblem) {
    count = problem.reason == reason ? count + 1 : 1
    reason = problem.reason
    if count >= Self.limit { common = problem }
  }

  mutating func succeeded() {
    count = 0
    reason = nil
  }
}

extension TransactionProblem {
  /// The same for all packages that fail alike: without the text, which names the package.
  fileprivate var reason: TransactionProblem {
    if case .packageKit(let code, _) = self { .packageKit(code, "") } else { self }
  }
}
