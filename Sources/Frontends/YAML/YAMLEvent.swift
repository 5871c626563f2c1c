// SPDX-License-Identifier: Apache-2.0

import Diagnostics

/// A place in a YAML text; line and column count from 0, columns in Unicode scalars.
struct YAMLMark {
  var line: UInt32
  var column: UInt32

  var position: SourcePosition { SourcePosition(line: Int(line) + 1, column: Int(column) + 1) }
}

/// What a tag says about a node. Only YAML's core types have tags here: types come from the schemas of the kinds.
enum YAMLTag: UInt8 {
  /// No tag.
  case none
  /// `!`: not resolved, so a string, a list or a map as it is written.
  case nonSpecific
  case null, bool, int, float, string, sequence, mapping
}

/// A step of a YAML text with its aliases already replaced. The text of scalars lies in the reader's `text`.
struct YAMLEvent {
  enum Kind: UInt8 {
    case documentStart, documentEnd, streamEnd
    case scalar, sequenceStart, sequenceEnd, mappingStart, mappingEnd
  }

  var kind: Kind
  var tag: YAMLTag = .none
  /// A scalar without quotes and not a block.
  var isPlain = false
  var start: YAMLMark
  var end: YAMLMark
  var textStart: Int32 = 0
  var textCount: Int32 = 0
}

/// Bounds on what a YAML text may ask for.
enum YAMLLimits {
  static let depth = 64
  /// What aliases may expand to: so many events and bytes always, beyond that ten times of what was read, and never more than
  /// the maximum.
  static let freeAliasEvents = 10_000
  static let freeAliasBytes = 1 << 20
  static let aliasRatio = 10
  static let maximumAliasEvents = 2_000_000
  static let maximumAliasBytes = 64 << 20
}
