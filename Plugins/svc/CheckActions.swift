// SPDX-License-Identifier: Apache-2.0

/// What a check does, what it can end with, and what goes wrong.
extension CheckMachine {
  enum JobKind: String, Equatable, Sendable {
    case start, stop, refresh
  }

  enum FileChange: Equatable, Sendable {
    case enable
    case disable(runtime: Bool)
  }

  enum Action: Equatable, Sendable {
    /// Answer with `read` or `failed`.
    case read
    /// Answer with `filesChanged` or `failed`.
    case changeFiles(FileChange, name: String)
    /// Answer with `reloaded` or `failed`.
    case reloadDaemon
    /// Answer with `jobQueued` or `failed`.
    case queue(JobKind)
    /// Answer with `jobEnded`, or with `jobIsGone`.
    case wait(job: String)
    /// Nobody answers: answer with `managerReturned`, or with `managerStaysAway` after a while.
    case await
    /// Find out what a person wants to know about it; answer with `explained`.
    case explain(Problem)
    /// The check is over; nothing may follow.
    case finish(Outcome)
  }

  enum Outcome: Equatable, Sendable {
    case ok, changed, differs, cancelled
    case failed(Problem)
  }

  enum Problem: Equatable, Sendable {
    case notFound
    case masked
    /// `bad-setting`, `error`: the unit's file cannot be used.
    case unusable(String)
    case startup(String, hint: String)
    /// It was enabled or disabled, and is not so.
    case startupStayed(String)
    /// A job succeeded, and the unit's state is not what it should be.
    case stateStayed(JobKind, String)
    case job(JobKind, result: String)
    /// Jobs of somebody else come again and again.
    case busy(UnitReading.Job)
    case bus(String, BusError)
  }

  /// A difference between what is and what is asked.
  struct Change: Equatable, Sendable {
    var path: String
    var was: String
    var will: String
  }

  struct OwnJob: Equatable, Sendable {
    var kind: JobKind
    var path: String
  }
}
