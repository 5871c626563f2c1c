// SPDX-License-Identifier: Apache-2.0

/// PackageKit's name of one version of one package: `name;version;architecture;data`.
///
/// What `data` holds is each backend's own business (a repository, or `manual:…` for an installed package of apt), so nothing
/// is ever read out of it.
struct PackageID: Hashable, Sendable {
  var name: String
  var version: String
  var architecture: String
  var data: String

  init(name: String, version: String, architecture: String, data: String = "") {
    self.name = name
    self.version = version
    self.architecture = architecture
    self.data = data
  }

  /// nil: not four fields, or no name.
  init?(_ text: String) {
    let fields = text.split(separator: ";", maxSplits: 4, omittingEmptySubsequences: false)
    guard fields.count == 4, !fields[0].isEmpty else { return nil }
    self.init(
      name: String(fields[0]), version: String(fields[1]), architecture: String(fields[2]), data: String(fields[3]))
  }

  var text: String { "\(name);\(version);\(architecture);\(data)" }

  /// The same for the package whether it is installed or not.
  var release: String { "\(name);\(version);\(architecture)" }

  /// `name` or `name:architecture`, as a person may write it.
  func isCalled(_ name: String) -> Bool { self.name == name || "\(self.name):\(architecture)" == name }
}
