// SPDX-License-Identifier: Apache-2.0

/// What PackageKit knows about one name.
struct PackageFacts: Equatable, Sendable {
  /// Several only of packages that can be installed side by side, such as kernels.
  var installed: [PackageID] = []
  var available: [PackageID] = []
  /// What an update would bring.
  var update: PackageID?

  var isKnown: Bool { !installed.isEmpty || !available.isEmpty }
}

/// An answer of `Resolve`, and of `GetUpdates` if it was asked.
struct PackageTable: Equatable, Sendable {
  private var facts: [String: PackageFacts] = [:]

  /// Whether a package is installed is told by the number that comes with it, never by a word in its id.
  init(resolved: [ListedPackage] = [], updates: [ListedPackage] = []) {
    var installed: Set<PackageID> = []
    var available: Set<PackageID> = []
    for package in resolved {
      let id = package.id
      if package.info == PackageInfo.installed {
        if installed.insert(id).inserted { facts[id.name, default: PackageFacts()].installed.append(id) }
      } else if available.insert(id).inserted {
        facts[id.name, default: PackageFacts()].available.append(id)
      }
    }
    for package in updates { facts[package.id.name]?.update = package.id }
  }

  /// `name` may end in `:architecture`.
  subscript(name: String) -> PackageFacts {
    if let facts = facts[name] { return facts }
    guard let colon = name.lastIndex(of: ":"), var facts = facts[String(name[..<colon])] else { return PackageFacts() }
    facts.installed.removeAll { !$0.isCalled(name) }
    facts.available.removeAll { !$0.isCalled(name) }
    if facts.update?.isCalled(name) == false { facts.update = nil }
    return facts
  }
}

/// What has to be done about one package.
enum PackageVerdict: Equatable, Sendable {
  case asAsked
  case install(PackageID)
  case remove([PackageID])
  case update(PackageID)
  /// The name is not known.
  case unknown
  /// The name is known, this version of it is not.
  case unknownVersion([PackageID])

  init(_ spec: PackageSpec, _ facts: PackageFacts) {
    switch spec.state {
    case .uninstalled: self = facts.installed.isEmpty ? .asAsked : .remove(facts.installed)
    case .installed: self = facts.installed.isEmpty ? .first(of: facts) : .asAsked
    case .newest:
      if facts.installed.isEmpty {
        self = .first(of: facts)
      } else {
        self = facts.update.map { .update($0) } ?? .asAsked
      }
    case .version(let version):
      if facts.installed.contains(where: { $0.version == version }) {
        self = .asAsked
      } else if let id = facts.available.first(where: { $0.version == version }) {
        self = .install(id)
      } else {
        self = facts.isKnown ? .unknownVersion(facts.available) : .unknown
      }
    }
  }

  private static func first(of facts: PackageFacts) -> PackageVerdict { facts.available.first.map { .install($0) } ?? .unknown }

  /// A package that was not found may be in a repository whose list is old.
  var isUnknown: Bool {
    switch self {
    case .unknown, .unknownVersion: true
    default: false
    }
  }

  /// The call that does it.
  var action: PackageAction? {
    switch self {
    case .install: .install
    case .remove: .remove
    case .update: .update
    case .asAsked, .unknown, .unknownVersion: nil
    }
  }

  var ids: [PackageID] {
    switch self {
    case .install(let id), .update(let id): [id]
    case .remove(let ids): ids
    case .asAsked, .unknown, .unknownVersion: []
    }
  }
}

enum PackageAction: Hashable, Sendable {
  case install, remove, update

  func request(_ ids: [PackageID], _ flags: TransactionFlags) -> TransactionRequest {
    let ids = BusValue.strings(ids.map(\.text))
    switch self {
    case .install: return TransactionRequest("InstallPackages", [.uint64(flags.rawValue), ids], changes: true)
    case .update:
      return TransactionRequest(
        "UpdatePackages", [.uint64(flags.subtracting(.allowDowngrade).rawValue), ids], changes: true)
    // What depends on it goes with it; what it brought along stays.
    case .remove: return TransactionRequest("RemovePackages", [.uint64(0), ids, .bool(true), .bool(false)], changes: true)
    }
  }

  var infinitive: String {
    switch self {
    case .install: "install"
    case .remove: "remove"
    case .update: "update"
    }
  }

  /// For progress: "installing cowsay".
  var participle: String {
    switch self {
    case .install: "installing"
    case .remove: "removing"
    case .update: "updating"
    }
  }
}
