// SPDX-License-Identifier: Apache-2.0

/// Bits of the `filter` argument.
struct PackageFilter: OptionSet, Hashable, Sendable {
  var rawValue: UInt64
  static let free = PackageFilter(rawValue: 1 << 8)
  static let supported = PackageFilter(rawValue: 1 << 12)
  static let newest = PackageFilter(rawValue: 1 << 16)
  static let architecture = PackageFilter(rawValue: 1 << 18)
}

/// Bits of the `transaction_flags` argument.
struct TransactionFlags: OptionSet, Hashable, Sendable {
  var rawValue: UInt64
  static let onlyTrusted = TransactionFlags(rawValue: 1 << 1)
  static let simulate = TransactionFlags(rawValue: 1 << 2)
  static let allowDowngrade = TransactionFlags(rawValue: 1 << 6)
}

/// What a `Package` signal says about a package, as far as it matters here.
enum PackageInfo {
  static let installed: UInt32 = 1
  static let removing: UInt32 = 13
  static let downgrading: UInt32 = 20
  /// Something is done to the system: updating, installing, removing, cleaning up, obsoleting, reinstalling, downgrading, preparing,
  /// decompressing. Downloading is not.
  static let changing: Set<UInt32> = [11, 12, removing, 14, 15, 19, downgrading, 21, 22]
  /// The upper half of the number tells how severe an update is.
  static func code(_ number: UInt32) -> UInt32 { number & 0xffff }
}

/// Numbers of the `Finished` signal.
enum TransactionExit {
  static let success: UInt32 = 1
  static let cancelled: UInt32 = 3
  static let needUntrusted: UInt32 = 8
  static let repairRequired: UInt32 = 11
}

enum TransactionRole {
  static let refreshCache: UInt32 = 13
}

/// Numbers of the `ErrorCode` signal with their words.
enum PackageKitError {
  static let noNetwork: UInt32 = 2
  static let gpgFailure: UInt32 = 5
  static let alreadyInstalled: UInt32 = 9
  static let downloadFailed: UInt32 = 10
  static let transactionError: UInt32 = 16
  static let noCache: UInt32 = 18
  static let cannotGetLock: UInt32 = 26
  static let badSignature: UInt32 = 30
  static let missingSignature: UInt32 = 31
  static let repositoryNotAvailable: UInt32 = 37
  static let allAlreadyInstalled: UInt32 = 41
  static let noMoreMirrors: UInt32 = 43
  static let noSpace: UInt32 = 46
  static let notAuthorized: UInt32 = 48
  static let cannotInstallUnsigned: UInt32 = 50
  static let cannotUpdateUnsigned: UInt32 = 51
  static let failedToConfigure: UInt32 = 56
  static let failedToInstall: UInt32 = 58
  static let failedToRemove: UInt32 = 59
  static let unfinishedTransaction: UInt32 = 66
  static let lockRequired: UInt32 = 67

  static let signatures: Set<UInt32> = [
    gpgFailure, badSignature, missingSignature, cannotInstallUnsigned, cannotUpdateUnsigned,
  ]
  static let locks: Set<UInt32> = [cannotGetLock, lockRequired]
  /// No fault of a single package: what fails for all will fail for each.
  static let general: Set<UInt32> = [
    1, noNetwork, 3, 15, noCache, 22, 23, 24, noSpace, notAuthorized, cannotGetLock, lockRequired,
    repositoryNotAvailable, noMoreMirrors,
  ]

  /// The network, a mirror, or room on the disk.
  static let passing: Set<UInt32> = [noNetwork, downloadFailed, repositoryNotAvailable, noMoreMirrors, noSpace]

  static func word(_ code: UInt32) -> String { words.indices.contains(Int(code)) ? words[Int(code)] : "error \(code)" }

  private static let words = [
    "unknown", "out-of-memory", "no-network", "not-supported", "internal-error", "gpg-failure", "package-id-invalid",
    "package-not-installed", "package-not-found", "package-already-installed", "package-download-failed", "group-not-found",
    "group-list-invalid", "dep-resolution-failed", "filter-invalid", "create-thread-failed", "transaction-error",
    "transaction-cancelled", "no-cache", "repo-not-found", "cannot-remove-system-package", "process-kill",
    "failed-initialization", "failed-finalise", "failed-config-parsing", "cannot-cancel", "cannot-get-lock",
    "no-packages-to-update", "cannot-write-repo-config", "local-install-failed", "bad-gpg-signature", "missing-gpg-signature",
    "cannot-install-source-package", "repo-configuration-error", "no-license-agreement", "file-conflicts",
    "package-conflicts", "repo-not-available", "invalid-package-file", "package-install-blocked", "package-corrupt",
    "all-packages-already-installed", "file-not-found", "no-more-mirrors-to-try", "no-distro-upgrade-data",
    "incompatible-architecture", "no-space-on-device", "media-change-required", "not-authorized", "update-not-found",
    "cannot-install-repo-unsigned", "cannot-update-repo-unsigned", "cannot-get-filelist", "cannot-get-requires",
    "cannot-disable-repository", "restricted-download", "package-failed-to-configure", "package-failed-to-build",
    "package-failed-to-install", "package-failed-to-remove", "failed-due-to-running-process", "package-database-changed",
    "provide-type-not-supported", "install-root-invalid", "cannot-fetch-sources", "cancelled-priority",
    "unfinished-transaction", "lock-required", "repo-already-set",
  ]
}
