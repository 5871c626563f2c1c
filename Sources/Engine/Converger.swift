// SPDX-License-Identifier: Apache-2.0

/// Decides when a graph has converged: quiet for a time with everything as asked. A value: the caller brings the time and
/// keeps the timer. The clock runs only while a graph runs.
struct Converger {
  enum Action: Equatable {
    /// Call `timerFired` at this time; replaces any timer asked for before.
    case setTimer(UInt64)
    case cancelTimer
    case report(State)
  }

  enum State: Equatable {
    case unconverged
    /// Quiet, and everything as asked.
    case converged
    /// Quiet, but something failed.
    case stalled
  }

  /// How far a graph is from having nothing to do.
  enum Stillness {
    case busy
    /// Something that has failed is tried again, or fought over: that is not quiet, and does not end the quiet either.
    case trying
    /// Nothing runs or will without an event, or but by the clock.
    case quiet
  }

  /// Nanoseconds of quiet asked for; nil: never converges.
  let timeout: UInt64?
  private(set) var state = State.unconverged
  private var quietSince: UInt64?
  private var stillness = Stillness.busy
  private var succeeds = false

  init(timeoutSeconds: Int) {
    // More would not fit in nanoseconds.
    timeout = timeoutSeconds < 0 ? nil : min(UInt64(timeoutSeconds), 9_000_000_000) * 1_000_000_000
  }

  /// After each change of the graph's state. `succeeds`: everything is as asked.
  mutating func update(_ stillness: Stillness, succeeds: Bool, now: UInt64) -> [Action] {
    guard let timeout else { return [] }
    self.stillness = stillness
    switch stillness {
    case .trying: return []
    case .busy:
      guard quietSince != nil else { return [] }
      quietSince = nil
      return state == .unconverged ? [.cancelTimer] : [.cancelTimer] + become(.unconverged)
    case .quiet: break
    }
    // What was mended, or broken, in no time was not quiet either.
    let isOther = succeeds != self.succeeds
    self.succeeds = succeeds
    if let quietSince, !isOther {
      let isDue = state == .unconverged && now >= quietSince + timeout
      return isDue ? [.cancelTimer] + become(succeeds ? .converged : .stalled) : []
    }
    quietSince = now
    let end = become(.unconverged)
    return end + (timeout == 0 ? become(succeeds ? .converged : .stalled) : [.setTimer(now + timeout)])
  }

  /// A resource was changed: the time of quiet begins anew.
  mutating func activity() -> [Action] {
    guard quietSince != nil else { return [] }
    quietSince = nil
    return [.cancelTimer] + become(.unconverged)
  }

  /// No graph is looked at for now. What has converged stays so; what has not begins its time of quiet anew afterwards.
  mutating func pause() -> [Action] {
    guard state == .unconverged, quietSince != nil else { return [] }
    quietSince = nil
    return [.cancelTimer]
  }

  mutating func timerFired(now: UInt64) -> [Action] {
    guard let quietSince, let timeout else { return [] }
    guard now >= quietSince + timeout else { return [.setTimer(quietSince + timeout)] }
    // `update` says it when the attempt has ended.
    guard stillness == .quiet else { return [] }
    return become(succeeds ? .converged : .stalled)
  }

  private mutating func become(_ new: State) -> [Action] {
    guard state != new else { return [] }
    state = new
    return [.report(new)]
  }
}
