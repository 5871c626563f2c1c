// SPDX-License-Identifier: Apache-2.0

import PluginKit

enum PackageParameter: Int {
  case state, allowDowngrade, allowUntrusted, allowNonfree, allowUnsupported
}

/// What is asked of one package.
struct PackageSpec: Hashable, Sendable {
  enum State: Hashable, Sendable {
    case installed
    case uninstalled
    /// Installed, and no update of it is offered.
    case newest
    case version(String)

    init(_ text: String) {
      self =
        switch text {
        case "installed": .installed
        case "uninstalled": .uninstalled
        case "newest": .newest
        default: .version(text)
        }
    }

    var text: String {
      switch self {
      case .installed: "installed"
      case .uninstalled: "uninstalled"
      case .newest: "newest"
      case .version(let version): version
      }
    }
  }

  var name: String
  var state: State
  var allowDowngrade = false
  var allowUntrusted = false
  var allowNonfree = false
  var allowUnsupported = false

  init(name: String, state: State = .installed) {
    self.name = name
    self.state = state
  }

  init(name: String, parameters: Parameters) {
    self.init(name: name, state: State(parameters.string(PackageParameter.state) ?? "installed"))
    allowDowngrade = parameters.bool(PackageParameter.allowDowngrade)
    allowUntrusted = parameters.bool(PackageParameter.allowUntrusted)
    allowNonfree = parameters.bool(PackageParameter.allowNonfree)
    allowUnsupported = parameters.bool(PackageParameter.allowUnsupported)
  }

  /// Both become part of package ids, whose fields `;` separates.
  func validate() throws(Failure) {
    guard Self.isPlain(name) else {
      throw Failure(
        "not a package name: it is empty, longer than 255 bytes, or holds a space, a control character or ';'",
        hint: "the name of the resource is the name of the package, as `pkcon search name` prints it")
    }
    guard case .version(let version) = state else {
      guard !allowDowngrade else {
        throw Failure(
          "a downgrade is only possible to a version", field: "allowdowngrade",
          hint: "give the version as `state`, or leave `allowdowngrade` out")
      }
      return
    }
    if version.isEmpty {
      throw Failure(
        "the state is empty", field: "state", hint: "use installed, uninstalled, newest or a version such as 1.2.3-4")
    }
    if let state = Self.otherWords[version] {
      throw Failure("there is no state `\(version)`", field: "state", hint: "use \(state)")
    }
    guard Self.isPlain(version) else {
      throw Failure(
        "not a version: it is longer than 255 bytes, or holds a space, a control character or ';'", field: "state",
        hint: "use installed, uninstalled, newest or a version such as 1.2.3-4")
    }
  }

  /// What other tools call the states. No package has such a version.
  private static let otherWords = [
    "latest": "newest", "present": "installed", "absent": "uninstalled", "purged": "uninstalled", "removed": "uninstalled",
  ]

  private static func isPlain(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 255 && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: ";") }
  }

  /// Whether one transaction can do for both. No exact versions: they would have to be told apart in it.
  func mayShareTransaction(with other: PackageSpec) -> Bool {
    if case .version = state { return false }
    var other = other
    other.name = name
    return self == other
  }

  /// Some backends list only the installed and the newest version: what to ask them for, knowing of what architecture the package is.
  func olderVersion(_ facts: PackageFacts) -> PackageID? {
    guard case .version(let version) = state, PackageVerdict(self, facts) == .unknownVersion(facts.available),
      let known = facts.available.first ?? facts.installed.first
    else { return nil }
    return PackageID(name: known.name, version: version, architecture: known.architecture)
  }

  /// The packages that may be installed, of all there are.
  var installFilter: PackageFilter {
    var filter: PackageFilter = [.architecture]
    if !allowNonfree { filter.insert(.free) }
    if !allowUnsupported { filter.insert(.supported) }
    return filter
  }

  var flags: TransactionFlags {
    var flags: TransactionFlags = []
    if !allowUntrusted { flags.insert(.onlyTrusted) }
    if allowDowngrade { flags.insert(.allowDowngrade) }
    return flags
  }
}
