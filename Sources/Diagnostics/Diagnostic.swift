// SPDX-License-Identifier: Apache-2.0

/// A place in a text: line and column count from 1, columns in Unicode scalars.
public struct SourcePosition: Sendable, Hashable {
  public var line: Int
  public var column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// A stretch of a file; `end` is the position after its last character.
public struct SourceSpan: Sendable, Hashable {
  public var file: String
  public var start: SourcePosition
  public var end: SourcePosition

  public init(file: String, start: SourcePosition, end: SourcePosition) {
    self.file = file
    self.start = start
    self.end = end
  }
}

/// What a person is told when something is wrong: data first, rendered last (`TextRenderer`, `jsonObject`).
public struct Diagnostic: Sendable, Hashable {
  public enum Severity: String, Sendable {
    case error, warning, note
  }

  /// A stretch of source and what is to be said about it; the first label of a diagnostic is where it happened.
  public struct Label: Sendable, Hashable {
    public var span: SourceSpan
    public var text: String
    /// The first line of the span as it was when it was read, without its end; nil: not known, or not to be shown.
    public var excerpt: String?

    public init(_ span: SourceSpan, _ text: String = "", excerpt: String? = nil) {
      self.span = span
      self.text = text
      self.excerpt = excerpt
    }
  }

  /// A stable name for programs, as `graph.cycle`; listed in docs/diagnostics.md.
  public var code: String
  public var severity: Severity
  /// One sentence, without a full stop: what is wrong.
  public var title: String
  /// `kind[name]` of the resource it is about.
  public var resource: String?
  public var labels: [Label]
  /// Why, in further sentences.
  public var notes: [String]
  /// What to do about it.
  public var hint: String?
  /// The system's number of the error behind it; 0: none.
  public var systemError: Int32 = 0

  public init(
    _ code: String, severity: Severity = .error, _ title: String, resource: String? = nil, labels: [Label] = [],
    notes: [String] = [], hint: String? = nil
  ) {
    self.code = code
    self.severity = severity
    self.title = title
    self.resource = resource
    self.labels = labels
    self.notes = notes
    self.hint = hint
  }
}

/// The error type of the project: one or more diagnostics, all that could be found before giving up.
public struct MgmtError: Error, Sendable, Hashable {
  public var diagnostics: [Diagnostic]

  public init(_ diagnostics: [Diagnostic]) {
    self.diagnostics = diagnostics
  }

  public init(_ diagnostic: Diagnostic) {
    diagnostics = [diagnostic]
  }
}
