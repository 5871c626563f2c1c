// SPDX-License-Identifier: Apache-2.0

/// Who waits for which job.
struct JobWaits {
  struct Token: Hashable {
    var job: String
    var number: Int
  }

  private var waits: [String: [Int: (Result<String, BusError>) -> Void]] = [:]
  private var nextNumber = 0
  /// Answers that are to name a job, and the jobs that ended meanwhile.
  private var hearing = 0
  private var endedMeanwhile: [String: String] = [:]

  mutating func willHear() { hearing += 1 }

  mutating func didHear() {
    hearing = max(0, hearing - 1)
    if hearing == 0 { endedMeanwhile = [:] }
  }

  /// Call it before `didHear`. nil: it has ended already.
  mutating func wait(_ job: String, _ ended: @escaping (Result<String, BusError>) -> Void) -> Token? {
    guard endedMeanwhile[job] == nil else { return nil }
    nextNumber += 1
    waits[job, default: [:]][nextNumber] = ended
    return Token(job: job, number: nextNumber)
  }

  func result(of job: String) -> String? { endedMeanwhile[job] }

  mutating func remove(_ token: Token) {
    waits[token.job]?[token.number] = nil
    if waits[token.job]?.isEmpty == true { waits[token.job] = nil }
  }

  mutating func take(_ job: String, _ result: String) -> [(Result<String, BusError>) -> Void] {
    if hearing > 0 { endedMeanwhile[job] = result }
    return waits.removeValue(forKey: job).map { Array($0.values) } ?? []
  }

  mutating func takeAll() -> [(Result<String, BusError>) -> Void] {
    defer { self = JobWaits() }
    return waits.values.flatMap(\.values)
  }
}
