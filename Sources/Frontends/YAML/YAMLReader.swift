// SPDX-License-Identifier: Apache-2.0

import CYAML
import Diagnostics
import Glibc

/// Reads a YAML text event by event with libyaml, checks depth and tags, and replaces aliases by what they stand for.
///
/// An anchored node is recorded while it is read; its alias plays the record back, within a budget, so that a small text
/// cannot become a large one.
final class YAMLReader {
  // Run-time checks of exclusive access are off where they cost: each of these is used for one statement at a time.

  let file: String
  /// The scalars read since `forgetText`.
  @exclusivity(unchecked) private(set) var text: [UInt8] = []

  private let bytes: UnsafeBufferPointer<UInt8>
  private let byteOrderMark: Int
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let event: UnsafeMutablePointer<yaml_event_t>
  @exclusivity(unchecked) private var depth = 0

  @exclusivity(unchecked) private var record: [YAMLEvent] = []
  @exclusivity(unchecked) private var recordedText: [UInt8] = []
  private var anchors: [String: Anchor] = [:]
  @exclusivity(unchecked) private var openAnchors: [(name: String, depth: Int, start: Int)] = []
  @exclusivity(unchecked) private var replay = 0..<0
  @exclusivity(unchecked) private var eventsRead = 0
  private var eventsReplayed = 0
  private var bytesReplayed = 0

  private struct Anchor {
    var events: Range<Int>
    var isOpen: Bool
  }

  /// `bytes` must live as long as the reader.
  init(bytes: UnsafeBufferPointer<UInt8>, file: String) throws(MgmtError) {
    self.file = file
    self.bytes = bytes
    byteOrderMark = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    parser = .allocate(capacity: 1)
    event = .allocate(capacity: 1)
    guard yaml_parser_initialize(parser) == 1 else {
      parser.initialize(to: yaml_parser_t())
      throw MgmtError(Diagnostic("yaml.memory", "there is not enough memory to read \(file)"))
    }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    let start = bytes.baseAddress.map { UnsafePointer($0 + byteOrderMark) }
    yaml_parser_set_input_string(parser, start, bytes.count - byteOrderMark)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    event.deallocate()
  }

  /// Events read so far had their text looked at: its storage may be used again.
  func forgetText() { text.removeAll(keepingCapacity: true) }

  func string(_ event: YAMLEvent) -> String { string(event.textStart, event.textCount) }

  func string(_ start: Int32, _ count: Int32) -> String {
    let start = Int(start)
    let end = start + Int(count)
    guard start >= 0, end >= start, end <= text.count else { return "" }
    return String(decoding: text[start..<end], as: UTF8.self)
  }

  func span(_ start: YAMLMark, _ end: YAMLMark) -> SourceSpan {
    SourceSpan(file: file, start: start.position, end: end.position)
  }

  /// The next event that is not of the stream's own framing.
  func next() throws(MgmtError) -> YAMLEvent {
    while true {
      if !replay.isEmpty { return replayNext() }
      if let event = try read() { return event }
    }
  }

  // MARK: libyaml

  private func read() throws(MgmtError) -> YAMLEvent? {
    guard yaml_parser_parse(parser, event) == 1 else { throw MgmtError(syntaxError()) }
    defer { yaml_event_delete(event) }
    eventsRead += 1
    let (start, end) = (Self.mark(event.pointee.start_mark), Self.mark(event.pointee.end_mark))
    switch event.pointee.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.pointee.data.scalar
      var result = YAMLEvent(kind: .scalar, tag: try tag(scalar.tag, of: "value", start, end), start: start, end: end)
      result.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
      result.textStart = Int32(clamping: text.count)
      result.textCount = Int32(clamping: scalar.length)
      text.append(contentsOf: UnsafeBufferPointer(start: scalar.value, count: scalar.length))
      finish(result, anchor: scalar.anchor)
      return result
    case YAML_SEQUENCE_START_EVENT:
      let sequence = event.pointee.data.sequence_start
      let result = YAMLEvent(kind: .sequenceStart, tag: try tag(sequence.tag, of: "list", start, end), start: start, end: end)
      try enter(result, anchor: sequence.anchor)
      return result
    case YAML_MAPPING_START_EVENT:
      let mapping = event.pointee.data.mapping_start
      let result = YAMLEvent(kind: .mappingStart, tag: try tag(mapping.tag, of: "map", start, end), start: start, end: end)
      try enter(result, anchor: mapping.anchor)
      return result
    case YAML_SEQUENCE_END_EVENT: return leave(YAMLEvent(kind: .sequenceEnd, start: start, end: end))
    case YAML_MAPPING_END_EVENT: return leave(YAMLEvent(kind: .mappingEnd, start: start, end: end))
    case YAML_ALIAS_EVENT:
      try startReplay(of: Self.string(event.pointee.data.alias.anchor), span(start, end))
      return nil
    case YAML_DOCUMENT_START_EVENT: return YAMLEvent(kind: .documentStart, start: start, end: end)
    case YAML_DOCUMENT_END_EVENT: return YAMLEvent(kind: .documentEnd, start: start, end: end)
    case YAML_STREAM_END_EVENT: return YAMLEvent(kind: .streamEnd, start: start, end: end)
    default: return nil
    }
  }

  private static func mark(_ mark: yaml_mark_t) -> YAMLMark {
    YAMLMark(line: UInt32(clamping: mark.line), column: UInt32(clamping: mark.column))
  }

  private static func string(_ text: UnsafePointer<yaml_char_t>?) -> String {
    text.map { String(cString: $0) } ?? ""
  }

  private func tag(
    _ tag: UnsafePointer<yaml_char_t>?, of what: String, _ start: YAMLMark, _ end: YAMLMark
  ) throws(MgmtError) -> YAMLTag {
    guard tag != nil else { return .none }
    let name = Self.string(tag)
    let prefix = "tag:yaml.org,2002:"
    switch (name, what) {
    case ("!", _): return .nonSpecific
    case (prefix + "null", "value"): return .null
    case (prefix + "bool", "value"): return .bool
    case (prefix + "int", "value"): return .int
    case (prefix + "float", "value"): return .float
    case (prefix + "str", "value"): return .string
    case (prefix + "seq", "list"): return .sequence
    case (prefix + "map", "map"): return .mapping
    default:
      let shown = name.hasPrefix(prefix) ? "!!" + name.dropFirst(prefix.count) : name
      throw MgmtError(
        Diagnostic(
          "yaml.tag", "the tag \(shown) cannot be used for a \(what)", labels: [.init(span(start, end))],
          hint: "leave the tag out: types come from the resource's kind"))
    }
  }

  // MARK: Depth, anchors, aliases

  private func enter(_ event: YAMLEvent, anchor: UnsafePointer<yaml_char_t>?) throws(MgmtError) {
    finish(event, anchor: anchor)
    depth += 1
    guard depth <= YAMLLimits.depth else {
      throw MgmtError(
        Diagnostic(
          "yaml.depth", "lists and maps are nested more than \(YAMLLimits.depth) deep",
          labels: [.init(span(event.start, event.end))]))
    }
  }

  private func leave(_ event: YAMLEvent) -> YAMLEvent {
    depth -= 1
    if !openAnchors.isEmpty { append(event) }
    while let last = openAnchors.last, last.depth == depth {
      anchors[last.name] = Anchor(events: last.start..<record.count, isOpen: false)
      openAnchors.removeLast()
    }
    return event
  }

  /// Notes an anchor, and records the event where one is open.
  private func finish(_ event: YAMLEvent, anchor: UnsafePointer<yaml_char_t>?) {
    guard anchor != nil else {
      if !openAnchors.isEmpty { append(event) }
      return
    }
    let name = Self.string(anchor)
    // An anchor of the same name that is still open is closed by name, not by place: end it as a self-reference would.
    openAnchors.removeAll { $0.name == name }
    let start = record.count
    append(event)
    if event.kind == .scalar {
      anchors[name] = Anchor(events: start..<record.count, isOpen: false)
    } else {
      anchors[name] = Anchor(events: start..<start, isOpen: true)
      openAnchors.append((name, depth, start))
    }
  }

  private func append(_ event: YAMLEvent) {
    var copy = event
    if event.kind == .scalar {
      copy.textStart = Int32(clamping: recordedText.count)
      let start = Int(event.textStart)
      recordedText.append(contentsOf: text[start..<start + Int(event.textCount)])
    }
    record.append(copy)
  }

  private func startReplay(of name: String, _ span: SourceSpan) throws(MgmtError) {
    guard let anchor = anchors[name] else {
      let hint = Suggestion.hint(for: name, in: anchors.keys)
      throw MgmtError(
        Diagnostic("yaml.alias", "there is no anchor &\(name) before this alias", labels: [.init(span)], hint: hint))
    }
    guard !anchor.isOpen else {
      throw MgmtError(Diagnostic("yaml.alias", "the anchor &\(name) contains an alias of itself", labels: [.init(span)]))
    }
    guard depth + deepest(anchor.events) <= YAMLLimits.depth else {
      throw MgmtError(
        Diagnostic("yaml.depth", "lists and maps are nested more than \(YAMLLimits.depth) deep", labels: [.init(span)]))
    }
    eventsReplayed += anchor.events.count
    for event in record[anchor.events] { bytesReplayed += Int(event.textCount) }
    let eventLimit = min(YAMLLimits.maximumAliasEvents, max(YAMLLimits.freeAliasEvents, YAMLLimits.aliasRatio * eventsRead))
    let byteLimit = min(YAMLLimits.maximumAliasBytes, max(YAMLLimits.freeAliasBytes, YAMLLimits.aliasRatio * bytes.count))
    guard eventsReplayed <= eventLimit, bytesReplayed <= byteLimit else {
      throw MgmtError(
        Diagnostic(
          "yaml.bomb", "the aliases up to here expand to too much", labels: [.init(span, "with this one")],
          notes: ["\(eventsRead) nodes and ends were read, aliases add \(eventsReplayed) more with \(bytesReplayed) bytes."],
          hint: "write the values out, or use fewer aliases"))
    }
    replay = anchor.events
  }

  private func deepest(_ events: Range<Int>) -> Int {
    var level = 0
    var deepest = 0
    for event in record[events] {
      switch event.kind {
      case .sequenceStart, .mappingStart:
        level += 1
        deepest = max(deepest, level)
      case .sequenceEnd, .mappingEnd: level -= 1
      default: break
      }
    }
    return deepest
  }

  private func replayNext() -> YAMLEvent {
    var event = record[replay.lowerBound]
    replay = replay.lowerBound + 1..<replay.upperBound
    if event.kind == .scalar {
      let start = Int(event.textStart)
      event.textStart = Int32(clamping: text.count)
      text.append(contentsOf: recordedText[start..<start + Int(event.textCount)])
    }
    if !openAnchors.isEmpty { append(event) }
    return event
  }

  // MARK: Errors

  private func syntaxError() -> Diagnostic {
    let failure = parser.pointee
    let problem = failure.problem.map { String(cString: $0) } ?? "cannot be read"
    guard failure.error != YAML_READER_ERROR else {
      return readerError(problem, offset: failure.problem_offset + byteOrderMark)
    }
    guard failure.error != YAML_MEMORY_ERROR else {
      return Diagnostic("yaml.memory", "there is not enough memory to read \(file)")
    }
    let place = Self.mark(failure.problem_mark)
    var diagnostic = Diagnostic("yaml.syntax", "this is not valid YAML: \(problem)", labels: [.init(span(place, place))])
    if let context = failure.context {
      let start = Self.mark(failure.context_mark)
      let text = String(cString: context)
      if start.line == place.line {
        diagnostic.notes.append(text)
      } else {
        diagnostic.labels.append(.init(span(start, start), text))
      }
    }
    diagnostic.hint = hint(offset: byteOffset(of: place))
    return diagnostic
  }

  private func hint(offset: Int) -> String? {
    guard bytes.indices.contains(offset) else { return nil }
    switch bytes[offset] {
    case UInt8(ascii: "\t"): return "indent with spaces: YAML does not allow tabs there"
    case UInt8(ascii: "@"): return "a value that starts with @ must be quoted, as \"@@name\""
    case UInt8(ascii: "`"), UInt8(ascii: "%"): return "a value that starts with this character must be quoted"
    default: return nil
    }
  }

  /// Where a line and column of libyaml lie among the bytes.
  private func byteOffset(of mark: YAMLMark) -> Int {
    var line: UInt32 = 0
    var offset = byteOrderMark
    while line < mark.line, offset < bytes.count {
      if bytes[offset] == 0x0a { line += 1 }
      offset += 1
    }
    var column: UInt32 = 0
    while offset < bytes.count, column < mark.column || bytes[offset] & 0xc0 == 0x80 {
      if bytes[offset] & 0xc0 != 0x80 { column += 1 }
      offset += 1
    }
    return offset
  }

  private func readerError(_ problem: String, offset: Int) -> Diagnostic {
    let place = SourceText(Array(bytes)).position(ofByte: offset)
    let end = SourcePosition(line: place.line, column: place.column + 1)
    let labels = [Diagnostic.Label(SourceSpan(file: file, start: place, end: end))]
    if problem == "control characters are not allowed" {
      let hint = "write it as an escape in double quotes, as \"\\x07\""
      return Diagnostic("yaml.control", "there is a control character in the file", labels: labels, hint: hint)
    }
    let byte = bytes.indices.contains(offset) ? "0x" + String(bytes[offset], radix: 16) : "the end"
    var diagnostic = Diagnostic("yaml.encoding", "the file is not UTF-8: found \(byte)", labels: labels, notes: [problem])
    diagnostic.hint =
      bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff])
      ? "it looks like UTF-16: save it as UTF-8" : "save it as UTF-8"
    return diagnostic
  }
}
