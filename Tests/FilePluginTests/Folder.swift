// SPDX-License-Identifier: Apache-2.0

import FileShims
import Glibc

@testable import PluginTesting

/// A temporary folder, removed at the end, and the few operations tests need.
final class Folder {
  let path: String

  init() throws {
    var template = Array("/tmp/mgmt-file-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestFailure(errno: errno, field: "", text: "mkdtemp", hint: "") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.remove(path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  static func remove(_ path: String) {
    if let directory = opendir(path), !isLink(path) {
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { remove("\(path)/\(name)") }
      }
      closedir(directory)
      rmdir(path)
    } else {
      unlink(path)
    }
  }

  static func isLink(_ path: String) -> Bool { readlink(path) != nil }

  func write(_ name: String, _ text: String, mode: mode_t = 0o644) {
    let fd = open(self(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    _ = Array(text.utf8).withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
    fchmod(fd, mode)
    close(fd)
  }

  func write(_ name: String, bytes: [UInt8]) {
    let fd = open(self(name), O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    _ = bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
    close(fd)
  }

  func make(_ name: String, mode: mode_t = 0o755) {
    mkdir(self(name), mode)
    chmod(self(name), mode)
  }

  /// Owner and group, then the mode: the kernel clears bits with the owner.
  func own(_ name: String, _ user: uid_t, mode: mode_t? = nil) {
    chown(self(name), user, user)
    if let mode { chmod(self(name), mode) }
  }

  private static func attribute(_ isInherited: Bool) -> String {
    isInherited ? "system.posix_acl_default" : "system.posix_acl_access"
  }

  /// The owner may read and write, one user `rights`, the group `group` and others nothing.
  func setAccessList(_ name: String, user: uid_t, rights: UInt16, group: UInt16, mask: UInt16, isInherited: Bool = false) {
    var bytes: [UInt8] = [2, 0, 0, 0]
    let none = UInt32.max
    for (tag, rights, id) in [
      (1, isInherited ? 7 : 6, none), (2, rights, user), (4, group, none), (16, mask, none), (32, 0, none),
    ]
      as [(UInt16, UInt16, UInt32)]
    {
      for part in [tag, rights] { withUnsafeBytes(of: part.littleEndian) { bytes += $0 } }
      withUnsafeBytes(of: id.littleEndian) { bytes += $0 }
    }
    let fd = open(self(name), O_RDONLY)
    _ = shim_held_set_attribute(fd, Self.attribute(isInherited), bytes, bytes.count)
    close(fd)
  }

  func hasAccessList(_ name: String, isInherited: Bool = false) -> Bool {
    shim_get_attribute(self(name), Self.attribute(isInherited), nil, 0) > 0
  }

  /// Whether it could be done.
  func setImmutable(_ name: String, _ isImmutable: Bool) -> Bool {
    let fd = open(self(name), O_RDONLY | O_NONBLOCK)
    defer { close(fd) }
    // FS_IOC_SETFLAGS and FS_IMMUTABLE_FL, which are macros.
    var flags: CLong = isImmutable ? 0x10 : 0
    return ioctl(fd, 0x4008_6602, &flags) == 0
  }

  func link(_ name: String, to target: String) { symlink(target, self(name)) }

  func read(_ name: String) -> String? {
    let fd = open(self(name), O_RDONLY)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = Glibc.read(fd, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }

  func status(_ name: String) -> stat? {
    var status = stat()
    return lstat(self(name), &status) == 0 ? status : nil
  }

  func mode(_ name: String) -> mode_t? { status(name).map { $0.st_mode & 0o7777 } }

  func names(_ name: String = "") -> [String] {
    guard let directory = opendir(name.isEmpty ? path : self(name)) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }
}

func readlink(_ path: String) -> String? {
  var buffer = [CChar](repeating: 0, count: 4096)
  let count = Glibc.readlink(path, &buffer, buffer.count)
  return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
