// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Glibc
import PluginABI

/// What earlier scans found, so that a start does not scan again: in memory, and in a file of the agent's prefix directory. The
/// file counts only when it is whole and nobody but the agent's user can have written it; else it is as if it were not there.
struct PluginCache: Sendable {
  static let fileName = "plugins.cache"
  /// The oldest results go when there are more.
  private static let maximumEntries = 512
  private static let maximumBytes = 1 << 26
  private static let magic: UInt32 = 0x4347_504d  // "MPGC"
  private static let version: UInt8 = 1

  private struct Key: Hashable {
    var path: String
    var identity: FileIdentity
  }

  /// Results of the file are decoded when they are asked for.
  private enum Result {
    case encoded(tag: UInt8, [UInt8])
    case known(ScanOutcome)
  }

  private struct Entry {
    var result: Result
    /// Counts up with every use.
    var used: UInt64
  }

  /// Results of another program, or another build of it, do not count.
  private let host: FileIdentity?
  private let directory: String?
  private let isReadOnly: Bool
  private var entries: [Key: Entry] = [:]
  private var clock: UInt64 = 0
  private var hasNews = false

  /// `directory`: nil for a cache that is not kept.
  /// `isReadOnly`: what is found is not written down.
  init(directory: String?, isReadOnly: Bool = false, host: FileIdentity? = Self.runningProgram) {
    self.directory = directory
    self.isReadOnly = isReadOnly
    self.host = host
    load()
  }

  /// The file the running program comes from.
  static var runningProgram: FileIdentity? {
    var status = stat()
    return stat("/proc/self/exe", &status) == 0 ? FileIdentity(status) : nil
  }

  mutating func outcome(_ path: String, _ identity: FileIdentity) -> ScanOutcome? {
    let key = Key(path: path, identity: identity)
    guard let entry = entries[key] else { return nil }
    clock += 1
    switch entry.result {
    case .known(let outcome):
      entries[key]?.used = clock
      return outcome
    case .encoded(let tag, let bytes):
      guard let outcome = ScanOutcome(tag: tag, bytes) else {
        entries[key] = nil
        return nil
      }
      entries[key] = Entry(result: .known(outcome), used: clock)
      return outcome
    }
  }

  /// Only results that last are kept.
  mutating func store(_ outcome: ScanOutcome, _ path: String, _ identity: FileIdentity) {
    guard outcome.isLasting else { return }
    clock += 1
    entries[Key(path: path, identity: identity)] = Entry(result: .known(outcome), used: clock)
    hasNews = true
  }

  // MARK: The file

  private mutating func load() {
    guard let directory, let host else { return }
    let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    defer { close(folder) }
    let fd = openat(folder, Self.fileName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard fd >= 0 else { return }
    defer { close(fd) }
    var status = stat()
    guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
      status.st_mode & (S_IWGRP | S_IWOTH) == 0, status.st_size > 0, status.st_size <= Self.maximumBytes
    else { return }
    let size = Int(status.st_size)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let taken = read(fd, buffer.baseAddress.map { $0 + count }, size - count)
        if taken < 0, errno == EINTR { continue }
        guard taken > 0 else { return }
        count += taken
      }
    }
    if let entries = Self.decode(bytes, host: host) { self.entries = entries }
  }

  /// nil: damaged, or of another program.
  private static func decode(_ bytes: [UInt8], host: FileIdentity) -> [Key: Entry]? {
    var reader = ByteReader(bytes)
    var entries: [Key: Entry] = [:]
    do throws(ByteError) {
      guard try reader.number(UInt32.self) == magic, try reader.number(UInt8.self) == version,
        try reader.number(UInt8.self) == PluginDescriptor.encodingVersion,
        try reader.number(UInt32.self) == UInt32(MGMT_ABI_MAJOR), try reader.number(UInt32.self) == UInt32(MGMT_ABI_MINOR),
        try reader.identity() == host, try reader.number(UInt64.self) == checksum(bytes[reader.offset...])
      else { return nil }
      for _ in 0..<(try reader.count(atMost: maximumEntries)) {
        let key = Key(path: try reader.text(atMost: 1 << 14), identity: try reader.identity())
        let tag = try reader.number(UInt8.self)
        entries[key] = Entry(result: .encoded(tag: tag, try reader.data(atMost: DescriptorLimits.encoded)), used: 0)
      }
      try reader.end()
    } catch {
      return nil
    }
    return entries
  }

  /// Writes the file anew when there is something new. A cache that cannot be written costs time only: no error.
  mutating func save() {
    guard hasNews, !isReadOnly, let directory, let host else { return }
    hasNews = false
    let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    defer { close(folder) }
    let temporary = ".\(Self.fileName).\(getpid())"
    unlinkat(folder, temporary, 0)
    let fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard fd >= 0 else { return }
    var rest = encoded(host: host)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(fd, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      rest = rest.dropFirst(count)
    }
    let isWhole = close(fd) == 0 && rest.isEmpty
    guard isWhole, renameat(folder, temporary, folder, Self.fileName) == 0 else {
      unlinkat(folder, temporary, 0)
      return
    }
  }

  private func encoded(host: FileIdentity) -> [UInt8] {
    let newest = entries.sorted { ($0.value.used, $1.key.path) > ($1.value.used, $0.key.path) }.prefix(Self.maximumEntries)
    var body = ByteWriter()
    body.count(newest.count)
    for (key, entry) in newest {
      body.write(key.path)
      body.write(key.identity)
      switch entry.result {
      case .encoded(let tag, let bytes):
        body.write(tag)
        body.write(bytes)
      case .known(let outcome):
        body.write(outcome.tag)
        body.write(outcome.encoded)
      }
    }
    var writer = ByteWriter()
    writer.write(Self.magic)
    writer.write(Self.version)
    writer.write(PluginDescriptor.encodingVersion)
    writer.write(UInt32(MGMT_ABI_MAJOR))
    writer.write(UInt32(MGMT_ABI_MINOR))
    writer.write(host)
    writer.write(Self.checksum(body.bytes[...]))
    return writer.bytes + body.bytes
  }

  /// FNV-1a: against damage, not against malice; the file's owner and mode are for that.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}

extension ScanOutcome {
  fileprivate var tag: UInt8 {
    switch self {
    case .described: 0
    case .refused: 1
    }
  }

  fileprivate var encoded: [UInt8] {
    switch self {
    case .described(let descriptor): return descriptor.encoded
    case .refused(let diagnostic):
      var writer = ByteWriter()
      writer.write(diagnostic.code)
      writer.write(diagnostic.title)
      writer.count(diagnostic.notes.count)
      for note in diagnostic.notes { writer.write(note) }
      writer.write(diagnostic.hint ?? "")
      return writer.bytes
    }
  }

  fileprivate init?(tag: UInt8, _ bytes: [UInt8]) {
    do {
      if tag == 0 {
        self = .described(try PluginDescriptor(decoding: bytes))
        return
      }
      guard tag == 1 else { return nil }
      var reader = ByteReader(bytes)
      var diagnostic = Diagnostic(try reader.text(atMost: 256), try reader.text(atMost: 1 << 20))
      for _ in 0..<(try reader.count(atMost: 16)) { diagnostic.notes.append(try reader.text(atMost: 1 << 16)) }
      let hint = try reader.text(atMost: 1 << 16)
      diagnostic.hint = hint.isEmpty ? nil : hint
      try reader.end()
      self = .refused(diagnostic)
    } catch {
      return nil
    }
  }
}

extension ByteWriter {
  fileprivate mutating func write(_ identity: FileIdentity) {
    for number in [identity.device, identity.inode, identity.size, identity.modified, identity.changed] { write(number) }
  }
}

extension ByteReader {
  fileprivate mutating func identity() throws(ByteError) -> FileIdentity {
    FileIdentity(
      device: try number(), inode: try number(), size: try number(), modified: try number(), changed: try number())
  }
}
