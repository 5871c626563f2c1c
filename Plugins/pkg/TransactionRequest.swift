// SPDX-License-Identifier: Apache-2.0

/// One method call on a transaction of PackageKit.
struct TransactionRequest: Equatable, Sendable {
  var method: String
  var arguments: [BusValue]
  /// It installs, removes or downloads: such a call may take long, and is watched by its signs of life only.
  var changes: Bool

  init(_ method: String, _ arguments: [BusValue], changes: Bool = false) {
    self.method = method
    self.arguments = arguments
    self.changes = changes
  }

  static func resolve(_ names: [String], _ filter: PackageFilter) -> TransactionRequest {
    TransactionRequest("Resolve", [.uint64(filter.rawValue), .strings(names)])
  }

  static func searchNames(_ parts: [String]) -> TransactionRequest {
    let filter: PackageFilter = [.architecture, .newest]
    return TransactionRequest("SearchNames", [.uint64(filter.rawValue), .strings(parts)])
  }

  static let updates = TransactionRequest("GetUpdates", [.uint64(PackageFilter.architecture.rawValue)])
  /// Only lists that are out of date are fetched.
  static let refresh = TransactionRequest("RefreshCache", [.bool(false)], changes: true)

  /// Ends what an interrupted transaction left half done.
  static let repair = TransactionRequest("RepairSystem", [.uint64(TransactionFlags.onlyTrusted.rawValue)], changes: true)

  static func simulateInstall(_ id: PackageID, _ flags: TransactionFlags) -> TransactionRequest {
    let flags = flags.union([.simulate, .allowDowngrade])
    return TransactionRequest("InstallPackages", [.uint64(flags.rawValue), .strings([id.text])])
  }

  static func simulateRemove(_ ids: [PackageID]) -> TransactionRequest {
    let ids = BusValue.strings(ids.map(\.text))
    return TransactionRequest("RemovePackages", [.uint64(TransactionFlags.simulate.rawValue), ids, .bool(true), .bool(false)])
  }

  static func files(_ ids: [PackageID]) -> TransactionRequest {
    TransactionRequest("GetFiles", [.strings(ids.map(\.text))])
  }

  static func details(_ ids: [PackageID]) -> TransactionRequest {
    TransactionRequest("GetDetails", [.strings(ids.map(\.text))])
  }

  /// Into the package manager's own cache, where the installation finds them.
  static func download(_ ids: [PackageID]) -> TransactionRequest {
    TransactionRequest("DownloadPackages", [.bool(true), .strings(ids.map(\.text))], changes: true)
  }

  static func filesOfArchives(_ paths: [String]) -> TransactionRequest {
    TransactionRequest("GetFilesLocal", [.strings(paths)])
  }
}

/// Why a transaction came to no good end.
enum TransactionProblem: Error, Equatable, Sendable {
  /// PackageKit's number and text.
  case packageKit(UInt32, String)
  /// It ended otherwise than well, and gave no reason.
  case exit(UInt32)
  /// The call was refused; a name of the bus and a text.
  case refused(String, String)
  case silent(seconds: Int)
  /// The daemon went away.
  case daemonGone
  case busGone
  case noBus(String, hint: String)
  case cancelled
}

/// What a transaction told until its end.
struct TransactionRecord: Equatable, Sendable {
  var packages: [ListedPackage] = []
  var files: [PackageFiles] = []
  /// Bytes to fetch.
  var sizes: [PackageID: UInt64] = [:]
  private(set) var problem: TransactionProblem?

  struct PackageFiles: Equatable, Sendable {
    var id: PackageID
    var paths: [String]
  }

  /// More is not kept: a transaction that says more than this has gone mad.
  static let limit = 1_000_000
  private var kept = 0

  /// true: this was the end.
  mutating func take(_ signal: PackageKitSignal) -> Bool {
    switch signal {
    case .packages(let more):
      let more = more.prefix(Self.limit - kept)
      kept += more.count
      packages += more
    case .files(let id, let paths):
      guard kept < Self.limit else { break }
      kept += 1
      let paths = Array(paths.prefix(Self.limit - kept))
      kept += paths.count
      files.append(PackageFiles(id: id, paths: paths))
    case .size(let id, let size):
      if kept < Self.limit { sizes[id] = size }
      kept = min(kept + 1, Self.limit)
    case .errorCode(let code, let text): if problem == nil { problem = .packageKit(code, text) }
    case .finished(let exit):
      if exit == TransactionExit.success {
        problem = nil
      } else if problem == nil {
        problem = exit == TransactionExit.cancelled ? .cancelled : .exit(exit)
      }
      return true
    case .destroy:
      if problem == nil { problem = .daemonGone }
      return true
    case .progress, .itemProgress, .other: break
    }
    return false
  }
}

/// Whose turn it is: PackageKit would do one after the other anyway, and like this each finds the state the one before it left.
struct TransactionQueue: Equatable, Sendable {
  private(set) var running: Int?
  private var waiting: [Int] = []
  private var next = 0

  mutating func add() -> Int {
    next += 1
    waiting.append(next)
    return next
  }

  /// The one to start now, if none is running.
  mutating func start() -> Int? {
    guard running == nil, !waiting.isEmpty else { return nil }
    running = waiting.removeFirst()
    return running
  }

  /// false: it was not there.
  @discardableResult mutating func remove(_ ticket: Int) -> Bool {
    if running == ticket {
      running = nil
      return true
    }
    guard let position = waiting.firstIndex(of: ticket) else { return false }
    waiting.remove(at: position)
    return true
  }
}
