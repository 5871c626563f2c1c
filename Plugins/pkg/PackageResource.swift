// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// One `pkg`, and those it leads. [reactor]
final class PackageResource: Resource {
  private let kind: PackageKind
  let spec: PackageSpec
  private var members: [PackageResource] = []
  private var check: PackageCheck?
  private var isWatched = false
  private var tokens: [PathWatcher.Token] = []
  /// What the last failure waits for: a lock, or the socket of the bus.
  private var obstacle: PathWatcher.Token?
  private var retry: Source?
  private var retryDelay = PackageResource.firstDelay
  private var lastFailure: LastFailure?

  /// Its transaction failed, and as of when.
  private struct LastFailure {
    var failure: Failure
    var stamp: DatabaseStamp
    var news: Int
    var seconds: Int
  }
  /// What a transaction writes is an event too: for so many seconds that alone is no reason to try it again.
  private static let echoes = 5

  /// After a failure of the daemon or the bus, and then twice as long each time. Milliseconds.
  private static let firstDelay: UInt64 = 1000
  private static let lastDelay: UInt64 = 60_000

  init(_ handle: ResourceHandle, kind: PackageKind, spec: PackageSpec) {
    self.kind = kind
    self.spec = spec
    kind.catalog.add(spec)
    super.init(handle)
  }

  override func close() {
    members = []
    kind.catalog.remove(spec)
  }

  override func watch() throws(Failure) {
    do throws(Failure) {
      for path in DatabaseStamp.present {
        tokens.append(try kind.paths.add(path, scope: path.hasSuffix("/local") ? .entries : .path, handle))
      }
    } catch {
      unwatch()
      throw error
    }
    kind.watch(self)
    isWatched = true
    handle.ready()
  }

  override func unwatch() {
    kind.unwatch(self)
    isWatched = false
    for token in tokens { kind.paths.remove(token) }
    tokens = []
    settle()
  }

  override func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult {
    if flags.contains(.apply), let failure = failureThatStands { throw failure }
    let started = PackageCheck(
      [spec] + members.map(\.spec), kind: kind, handle: handle, call: call, apply: flags.contains(.apply)
    ) { [unowned self] problem in
      kind.transactionsEnded(failed: check?.failedAction != nil)
      lastFailure = check?.failedAction.map {
        LastFailure(failure: $0, stamp: .now(), news: kind.news, seconds: monotonicSeconds())
      }
      check = nil
      settle()
      if let problem { overcome(problem) } else { retryDelay = Self.firstDelay }
    }
    check = started
    do throws(Failure) {
      return try started.start()
    } catch {
      check = nil
      throw error
    }
  }

  private var failureThatStands: Failure? {
    guard let lastFailure, lastFailure.news == kind.news, monotonicSeconds() - lastFailure.seconds < Self.echoes else {
      return nil
    }
    let now = DatabaseStamp.now()
    return now == lastFailure.stamp || now == kind.stampOfFailure ? lastFailure.failure : nil
  }

  override func cancel(_ call: Call) { check?.cancel() }

  /// One that cannot be found stands alone, so that it fails alone, with what comes after it.
  override func mayGroup(_ member: Resource) -> Bool {
    guard let member = member as? PackageResource, spec.mayShareTransaction(with: member.spec) else { return false }
    return !kind.catalog.isMissing(spec) && !kind.catalog.isMissing(member.spec)
  }

  override func group(_ member: Resource) throws(Failure) {
    guard let member = member as? PackageResource else { throw Failure("only packages can be grouped with a package") }
    members.append(member)
  }

  override func identities(_ sink: IdentitySink) {
    sink.put(space: "pkg", key: spec.name, .primary)
    for file in kind.files.files(of: spec.name) {
      for path in PackageIdentities.spellings(file) { sink.put(space: "pkgfile", key: path) }
    }
  }

  override func automaticEdges(_ sink: IdentitySink) {
    let files = kind.files.files(of: spec.name)
    for unit in PackageIdentities.units(files) { sink.put(space: "svc", key: "system:\(unit)", .afterMe) }
    for path in PackageIdentities.paths(files) { sink.put(space: "path", key: path, .afterMe) }
  }

  // MARK: what a failure waits for

  private func settle() {
    if let obstacle { kind.paths.remove(obstacle) }
    obstacle = nil
    retry?.delete()
    retry = nil
  }

  private func overcome(_ problem: TransactionProblem) {
    guard isWatched else { return }
    if problem.isLock {
      wait(for: DatabaseStamp.lock, while: isLocked)
    } else if case .noBus = problem {
      wait(for: BusConnection.socketPath(of: BusConnection.address)) { access($0, F_OK) != 0 }
    } else if problem.isPassing {
      again()
    }
  }

  /// `stands` is asked once the path is watched: what went away before that does not tell so.
  private func wait(for path: String?, while stands: (String) -> Bool) {
    obstacle = path.flatMap { try? kind.paths.add($0, handle) }
    guard let path, obstacle != nil, stands(path) else { return again() }
  }

  private func again() {
    retry = try? kind.host.addTimer(first: retryDelay) { [handle] in handle.event() }
    retryDelay = min(2 * retryDelay, Self.lastDelay)
  }
}

/// Whether another process holds a lock on the file.
private func isLocked(_ path: String) -> Bool {
  let fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
  guard fd >= 0 else { return false }
  defer { close(fd) }
  var lock = flock()
  lock.l_type = Int16(F_WRLCK)
  lock.l_whence = Int16(SEEK_SET)
  return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
}
