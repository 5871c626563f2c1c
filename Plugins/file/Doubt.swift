// SPDX-License-Identifier: Apache-2.0

import Glibc
import PluginKit

/// Why what is there is not given another owner, mode or label: where other users may write the directory, one of them may have
/// put it under this name, to be given what is not his or to have it opened.
enum Doubt {
  /// The file has another name, perhaps as root's.
  case linked
  /// It belongs neither to whom it shall nor to the directory's owner: it may have been moved here.
  case foreign(uid_t)
  /// It would run with the rights of a new owner, whoever wrote it.
  case program

  /// Whether somebody but root and the agent's user can make, rename and link things in a directory. The sticky bit is no help: it
  /// keeps no one from putting something there. An access list shows in the group's bits.
  static func mayOthersWrite(_ directory: stat) -> Bool {
    (directory.st_uid != 0 && directory.st_uid != geteuid()) || directory.st_mode & 0o022 != 0
  }
}

extension Entry {
  /// nil: it may be mended as it is.
  func doubt(_ wanted: Attributes) throws(Failure) -> Doubt? {
    guard let status else { return nil }
    var above = stat()
    guard fstat(directory, &above) == 0 else { throw Failure.system("cannot look at the directory of", path, errno) }
    guard Doubt.mayOthersWrite(above) else { return nil }
    let isDirectory = FileType(status) == .directory
    if !isDirectory && status.st_nlink > 1 { return .linked }
    if status.st_uid != above.st_uid && status.st_uid != wanted.uid {
      return isDirectory && isEmptyDirectory(held.raw) ? nil : .foreign(status.st_uid)
    }
    if !isDirectory, let mode = wanted.mode, mode & 0o6000 != 0, wanted.changeOwner(of: status) { return .program }
    return nil
  }

  func refused(_ doubt: Doubt, field: String) -> Failure {
    let type = status.map { FileType($0).rawValue } ?? "file"
    let why =
      switch doubt {
      case .linked: "\(path) is a hard link, and other users may write its directory"
      case .foreign(let owner):
        "\(path) belongs to \(Accounts.name(.user, owner)), neither the owner asked for nor its directory's, which other users "
          + "may write"
      case .program: "\(path) would run with its new owner's rights, but other users may have written it"
      }
    let hint =
      switch doubt {
      case .linked: "it may be anybody's \(type): remove it, or manage its contents, then a new file takes its place"
      case .foreign where FileType.directory.rawValue == type:
        "it may have been moved there: look what is in it, then give it its owner with chown"
      case .foreign: "it may have been moved there: remove it, name its owner, or manage its contents"
      case .program: "manage its contents, or put it into a directory that only root may write"
      }
    return Failure("\(why): its owner and mode stay", errno: EPERM, field: field, hint: hint)
  }
}

/// Who gets an empty directory gets nothing of anybody's.
func isEmptyDirectory(_ fd: Int32) -> Bool {
  do throws(Failure) {
    return try list(fd, "").isEmpty
  } catch {
    return false
  }
}
