// SPDX-License-Identifier: Apache-2.0

/// The order of one check of an `exec` as a value: each method takes what happened and returns what to do next.
///
///     refreshonly -> mtimes -> creates -> ifcmd -> nifcmd -> cmd -> donecmd
///
/// A guard that holds the command back ends the walk; a modified file (`mtimes`) jumps over the guards after it.
struct RunMachine: Equatable, Sendable {
  enum Role: Equatable, Sendable {
    case ifcmd, nifcmd, cmd, donecmd
  }

  enum Action: Equatable, Sendable {
    /// Answer with `timesCompared`.
    case compareTimes
    /// Answer with `createsChecked`.
    case checkCreates
    /// Answer with `ended` when the process is gone.
    case run(Role)
    /// The walk is over; nothing may follow.
    case finish(Outcome)
  }

  enum Outcome: Equatable, Sendable {
    /// A guard held the command back: all is as asked.
    case heldBack
    /// The command has to run, but nothing may be changed now.
    case wouldRun
    case ran
    case failed(Role, CommandEnd)
    case cancelled
  }

  /// Which steps there are.
  struct Steps: Equatable, Sendable {
    /// It runs only when notified, and was not.
    var lacksNotification = false
    var mtimes = false
    var creates = false
    var ifcmd = false
    var nifcmd = false
    var donecmd = false
    /// Without it the walk stops before `cmd`.
    var apply = true

    var hasGuardBesideTimes: Bool { creates || ifcmd || nifcmd }
  }

  private enum State: Equatable, Sendable {
    case idle, comparingTimes, checkingCreates
    case running(Role)
    case over
  }

  private let steps: Steps
  private var state = State.idle
  private(set) var isCancelled = false

  init(_ steps: Steps) {
    self.steps = steps
  }

  var isOver: Bool { state == .over }

  mutating func start() -> Action {
    guard !isCancelled else { return finish(.cancelled) }
    if steps.lacksNotification { return finish(.heldBack) }
    guard steps.mtimes else { return afterTimes() }
    state = .comparingTimes
    return .compareTimes
  }

  /// `modified`: a file of `mtimes` changed since the last successful run.
  mutating func timesCompared(modified: Bool) -> Action {
    guard state == .comparingTimes else { return finish(.cancelled) }
    if modified { return runCommand() }
    return steps.hasGuardBesideTimes ? afterTimes() : finish(.heldBack)
  }

  mutating func createsChecked(exists: Bool) -> Action {
    guard state == .checkingCreates else { return finish(.cancelled) }
    return exists ? finish(.heldBack) : afterCreates()
  }

  /// A process is gone. `holdsBack`: what `ifcmd` wrote equals what was not to be found.
  mutating func ended(_ end: CommandEnd, holdsBack: Bool = false) -> Action {
    guard case .running(let role) = state else { return finish(.cancelled) }
    if isCancelled { return finish(.cancelled) }
    switch (role, end) {
    case (.ifcmd, .exited(let status)): return status != 0 || holdsBack ? finish(.heldBack) : afterIf()
    case (.nifcmd, .exited(let status)): return status == 0 ? finish(.heldBack) : runCommand()
    case (.cmd, .exited(0)): return steps.donecmd ? run(.donecmd) : finish(.ran)
    case (.donecmd, .exited(0)): return finish(.ran)
    case (_, .exited), (_, .signalled), (_, .timedOut), (_, .notStarted): return finish(.failed(role, end))
    }
  }

  /// The host asks to give up: the next thing that happens ends the walk.
  mutating func cancel() {
    isCancelled = true
  }

  private mutating func afterTimes() -> Action {
    guard steps.creates else { return afterCreates() }
    state = .checkingCreates
    return .checkCreates
  }

  private mutating func afterCreates() -> Action {
    steps.ifcmd ? run(.ifcmd) : afterIf()
  }

  private mutating func afterIf() -> Action {
    steps.nifcmd ? run(.nifcmd) : runCommand()
  }

  private mutating func runCommand() -> Action {
    steps.apply ? run(.cmd) : finish(.wouldRun)
  }

  private mutating func run(_ role: Role) -> Action {
    guard !isCancelled else { return finish(.cancelled) }
    state = .running(role)
    return .run(role)
  }

  private mutating func finish(_ outcome: Outcome) -> Action {
    state = .over
    return .finish(outcome)
  }
}
