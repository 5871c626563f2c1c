// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import PluginABI
import Reactor
import Synchronization

/// Where `host->fail` writes: the plugin's `mgmt_error *` points to one of these.
final class ErrorBox: Sendable {
  struct Report: Sendable {
    var errno: Int32 = 0
    var field = ""
    var text = ""
    var hint = ""
  }
  private let report = Mutex<Report?>(nil)

  func set(_ new: Report) {
    report.withLock { $0 = new }
  }

  var pointer: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

  static func from(_ pointer: OpaquePointer?) -> ErrorBox? {
    pointer.map { Unmanaged<ErrorBox>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
  }

  /// What the plugin said in the shape of all errors. `without`: for a plugin that said nothing.
  func diagnostic(_ code: String, resource: String, origin: SourceSpan?, without: String) -> Diagnostic {
    let report = report.withLock { $0 }
    // The first line says what is wrong; further ones, as a program's last words, are notes.
    let lines = (report?.text ?? without).split(separator: "\n")
    var title = lines.first.map(String.init) ?? without
    if let field = report?.field, !field.isEmpty { title = "\(field): \(title)" }
    var notes = lines.dropFirst().map(String.init)
    if let number = report?.errno, number != 0 { notes.append("the system says: \(systemMessage(number)) (errno \(number))") }
    var diagnostic = Diagnostic(
      code, title, resource: resource, labels: origin.map { [.init($0, "declared here")] } ?? [], notes: notes,
      hint: report.flatMap { $0.hint.isEmpty ? nil : $0.hint })
    diagnostic.systemError = report?.errno ?? 0
    return diagnostic
  }
}
