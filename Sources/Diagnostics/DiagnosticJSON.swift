// SPDX-License-Identifier: Apache-2.0

public import Values

extension Diagnostic {
  /// The members of a JSON object; docs/diagnostics.md describes them. Absent: `resource`, `hint` and `errno` where there is none.
  public func writeMembers(_ json: inout JSONWriter) {
    json.member("severity", severity.rawValue)
    json.member("code", code)
    json.member("title", title)
    if let resource { json.member("resource", resource) }
    json.array("labels") { json in
      for label in labels { json.object { label.writeMembers(&$0) } }
    }
    json.array("notes") { json in for note in notes { json.value(note) } }
    if let hint { json.member("hint", hint) }
    if systemError != 0 { json.member("errno", systemError) }
  }

  /// One object on one line, without a newline.
  public var jsonObject: String {
    var json = JSONWriter()
    json.object { writeMembers(&$0) }
    return json.text
  }
}

extension Diagnostic.Label {
  fileprivate func writeMembers(_ json: inout JSONWriter) {
    json.member("file", span.file)
    json.member("line", span.start.line)
    json.member("column", span.start.column)
    json.member("end_line", span.end.line)
    json.member("end_column", span.end.column)
    if !text.isEmpty { json.member("text", text) }
    if let excerpt { json.member("excerpt", excerpt) }
  }
}
