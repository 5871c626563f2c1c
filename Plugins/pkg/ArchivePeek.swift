// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// Finds out the files of packages that are not installed by fetching their archives, within bounds. They go into the package
/// manager's cache, where an installation finds them, and are removed from it when they are installed or this ends: a plan leaves
/// nothing behind, but for what a download brings that still runs then. [reactor]
final class ArchivePeek {
  typealias Found = (_ files: [TransactionRecord.PackageFiles], _ failure: Failure?) -> Void

  private let host: Host
  private let client: PackageKitClient
  private var done: Found?
  private var found: [TransactionRecord.PackageFiles] = []
  private var failure: Failure?
  private var ticket: Int?
  /// When the download that runs was asked for.
  private var downloadStart: Int?
  /// What failed one by one.
  private var streak = FailureStreak()
  private var timer: Source?
  /// What was fetched, by `PackageID.release`.
  private var fetched: [String: FetchedArchive] = [:]

  private static let remedy = "declare the edges from these packages, or set autoedge: false for them"
  /// Bytes for one graph.
  static let budget: UInt64 = 64 << 20
  /// Milliseconds for one graph; the host waits for 30 s, and some of them went by already.
  private static let patience: UInt64 = 20_000

  init(host: Host, client: PackageKitClient) {
    self.host = host
    self.client = client
  }

  func files(of ids: [PackageID], _ done: @escaping Found) {
    cancel()
    // Who cannot remove them again leaves them where they are.
    guard access(FetchedArchive.caches, W_OK) == 0 else {
      return done(
        [], Failure("the files of packages that are not installed are not known without root's rights", hint: Self.remedy))
    }
    self.done = done
    timer = try? host.addTimer(first: Self.patience) { [unowned self] in
      failure = Failure(
        "the archives of packages that are not installed could not be fetched in \(Self.patience / 1000) s",
        hint: Self.remedy)
      stop()
      finish()
    }
    ticket = client.run(.details(ids)) { [unowned self] outcome in
      ticket = nil
      guard case .success(let record) = outcome else { return conclude(outcome) }
      let (affordable, costly) = Self.choose(ids, record.sizes)
      if !costly.isEmpty {
        failure = Failure(
          "the files of \(costly.map(\.name).joined(separator: ", ")) are not known before installing: too much would have to be fetched",
          hint: Self.remedy)
      }
      fetch(affordable) { [unowned self] in finish() }
    }
  }

  /// The smallest first, as many as there is room for. What has no known size is taken as too large.
  static func choose(
    _ ids: [PackageID], _ sizes: [PackageID: UInt64]
  ) -> (affordable: [PackageID], costly: [PackageID]) {
    var room = budget
    var chosen: [PackageID] = []
    var costly: [PackageID] = []
    for id in ids.sorted(by: { (sizes[$0] ?? .max, $0.text) < (sizes[$1] ?? .max, $1.text) }) {
      if let size = sizes[id], size <= room {
        room -= size
        chosen.append(id)
      } else {
        costly.append(id)
      }
    }
    return (chosen, costly)
  }

  func cancel() {
    stop()
    done = nil
    found = []
    failure = nil
    streak = FailureStreak()
  }

  func remove(_ ids: [PackageID]) {
    for id in ids { fetched.removeValue(forKey: id.release)?.remove() }
  }

  func close() {
    cancel()
    for archive in fetched.values { archive.remove() }
    fetched = [:]
  }

  private func stop() {
    timer?.delete()
    timer = nil
    if let ticket {
      let start = downloadStart
      // It may have come as far as that all the same.
      client.cancel(ticket) { _ in
      } afterwards: { [weak self] outcome in
        if let start, case .success(let record) = outcome { self?.keep(record, since: start) }
      }
    }
    ticket = nil
    downloadStart = nil
  }

  private func finish() {
    let (done, found, failure) = (done, found, failure)
    cancel()
    done?(found, failure)
  }

  private func conclude(_ outcome: PackageKitClient.Outcome) {
    if case .failure(let problem) = outcome { failure = problem.failure("find out the files of packages") }
    finish()
  }

  private func fetch(_ ids: [PackageID], then next: @escaping () -> Void) {
    guard !ids.isEmpty else { return next() }
    guard streak.common == nil else { return next() }
    let start = FetchedArchive.now()
    downloadStart = start
    ticket = client.run(.download(ids)) { [unowned self] outcome in
      ticket = nil
      downloadStart = nil
      switch outcome {
      case .failure(let problem):
        // One that cannot be fetched must not hide the files of the others.
        if ids.count == 1 { streak.failed(problem) }
        guard problem.mayConcernOnePackage, ids.count > 1 else { break }
        let half = ids.count / 2
        return fetch(Array(ids[..<half])) { [unowned self] in fetch(Array(ids[half...]), then: next) }
      case .success(let record):
        let archives = record.files.flatMap(\.paths)
        streak.succeeded()
        keep(record, since: start)
        guard !archives.isEmpty else { break }
        ticket = client.run(.filesOfArchives(archives)) { [unowned self] outcome in
          ticket = nil
          if case .success(let record) = outcome { found += record.files } else { note(outcome) }
          next()
        }
        return
      }
      note(outcome)
      next()
    }
  }

  private func keep(_ record: TransactionRecord, since start: Int) {
    for list in record.files {
      if let archive = list.paths.first.flatMap({ FetchedArchive($0, since: start) }) { fetched[list.id.release] = archive }
    }
  }

  private func note(_ outcome: PackageKitClient.Outcome) {
    guard failure == nil, case .failure(let problem) = outcome else { return }
    failure = problem.failure("find out the files of packages")
  }
}
