// SPDX-License-Identifier: Apache-2.0

import FileShims
import PluginKit

/// One file, directory or symbolic link.
final class FileResource: Resource {
  private var spec: FileSpec
  private let kind: FileKind
  private var tokens: [PathWatcher.Token] = []
  private var briefness = Briefness.unknown

  private enum Briefness: UInt8 { case unknown, asked, allowed, never }

  init(_ handle: ResourceHandle, _ spec: FileSpec, _ kind: FileKind) {
    self.spec = spec
    self.kind = kind
    super.init(handle)
  }

  override func close() {
    kind.managed.remove(spec)
  }

  override func watch() throws(Failure) {
    do throws(Failure) {
      try add(spec.path, spec.isDirectory && spec.recurse ? .tree : .path)
      if !spec.source.isEmpty && !spec.symlink { try add(spec.source, FilePath.isDirectory(spec.source) ? .tree : .path) }
      for fragment in spec.fragments { try add(fragment, FilePath.isDirectory(fragment) ? .entries : .path) }
    } catch {
      unwatch()
      throw error
    }
    kind.managed.startWatch(spec, handle)
    handle.ready()
  }

  private func add(_ path: String, _ scope: PathWatcher.Scope) throws(Failure) {
    tokens.append(try kind.watcher.add(path, scope: scope, handle))
  }

  override func unwatch() {
    kind.managed.endWatch(spec, handle)
    for token in tokens { kind.watcher.remove(token) }
    tokens = []
  }

  /// In place where the same paths are watched, so that no moment passes in which nobody manages the path: its directory might
  /// be purged just then.
  override func update(_ parameters: Parameters, changed: ChangedParameters) throws(Failure) -> UpdateResult {
    let new = try FileSpec(name: spec.name, parameters: parameters)
    guard new.watchesSame(as: spec) else { return .recreate }
    let isWatching = !tokens.isEmpty
    if isWatching { kind.managed.endWatch(spec, handle) }
    kind.managed.add(new)
    kind.managed.remove(spec)
    spec = new
    briefness = .unknown
    if isWatching { kind.managed.startWatch(spec, handle) }
    return .updated
  }

  override func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult {
    guard decideBriefness(flags.contains(.brief)) else { return .later }
    var check = FileCheck(spec: spec, kind: kind, handle: handle, call: call, flags: flags)
    try check.run()
    if check.differs, check.apply { kind.unsettled.note(FilePath.parent(spec.path) ?? "/") }
    return check.differs ? (check.apply ? .changed : .differs) : .ok
  }

  /// On the reactor's thread only small work on a local file system is done. The file system is asked on the worker that the first
  /// refusal leads to.
  private func decideBriefness(_ isBrief: Bool) -> Bool {
    switch briefness {
    case .unknown where isBrief:
      briefness = spec.isSmallWork ? .asked : .never
      return false
    case .asked where !isBrief:
      briefness = spec.parentAndName.parent.withUnsafeBufferPointer { shim_is_local($0.baseAddress) } == 1 ? .allowed : .never
      return true
    default: return !isBrief || briefness == .allowed
    }
  }

  /// There is one thing at a path: a directory is also what its path without the "/" names.
  override func identities(_ sink: IdentitySink) {
    sink.put(space: "path", key: FilePath.withoutSlash(spec.path), .primary)
    if spec.isDirectory && spec.path != "/" { sink.put(space: "path", key: spec.path) }
  }

  /// Fragments and the source come first, with all that is managed in their directories; of the directories above only the nearest
  /// that is managed.
  override func automaticEdges(_ sink: IdentitySink) {
    var group: UInt32 = 1
    for fragment in spec.fragments { putInput(fragment, .entries, &group, to: sink) }
    if !spec.source.isEmpty && !spec.symlink { putInput(spec.source, .below, &group, to: sink) }
    var path = FilePath.withoutSlash(spec.path)
    path.withUTF8 { bytes in
      guard bytes.count > 1 else { return }
      putAddition(bytes, to: sink)
      putDirectories(above: bytes[...], group: 1, to: sink)
    }
  }

  /// Something that is read: what is managed there, or else the nearest directory above, which may bring it along.
  private func putInput(_ path: String, _ reach: IdentitySink.Flags, _ group: inout UInt32, to sink: IdentitySink) {
    if FilePath.isDirectory(path) { sink.put(space: "path", key: path, reach) }
    group += 1
    var path = path
    path.withUTF8 { bytes in
      sink.put(space: "path", key: bytes, group: group)
      putDirectories(above: bytes.last == UInt8(ascii: "/") ? bytes[..<(bytes.count - 1)] : bytes[...], group: group, to: sink)
    }
  }

  /// The nearest first.
  private func putDirectories(above path: Slice<UnsafeBufferPointer<UInt8>>, group: UInt32, to sink: IdentitySink) {
    var rest = path
    while let slash = rest.lastIndex(of: UInt8(ascii: "/")) {
      sink.put(space: "path", key: UnsafeBufferPointer(rebasing: rest[...slash]), group: group)
      rest = rest[..<slash]
    }
  }

  /// What is added to something in a directory such as `nginx.service.d` comes before that; and so does the directory.
  private func putAddition(_ path: UnsafeBufferPointer<UInt8>, to sink: IdentitySink) {
    let isDirectory = spec.path.utf8.last == UInt8(ascii: "/")
    let name = isDirectory ? path[...] : path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? 0)]
    guard name.suffix(2).elementsEqual(".d".utf8) else { return }
    sink.put(space: "dropin", key: String(decoding: name, as: UTF8.self) + "/", .afterMe)
  }

  override func reverse(_ sink: ReversalSink) throws(Failure) {
    guard let parameters = try spec.reversal() else { return }
    sink.put(kind: "file", name: spec.name, parameters: parameters)
  }
}

extension FileSpec {
  /// `FileResource.watch` would add the same paths.
  fileprivate func watchesSame(as other: FileSpec) -> Bool {
    path == other.path && recurse == other.recurse && symlink == other.symlink && source == other.source
      && fragments == other.fragments
  }
}
