// SPDX-License-Identifier: Apache-2.0

import Values

/// What of a source line is shown: all of it, or a part around the span when it is long.
struct ExcerptLine {
  private(set) var text = ""
  /// In columns of a terminal.
  private(set) var underlineStart = 0
  private(set) var underlineWidth = 1

  /// Columns count from 1 in Unicode scalars; `to` is behind the last one of the span.
  init(_ line: String, from: Int, to: Int, width: Int) {
    let scalars = Array(line.unicodeScalars)
    // The end of the line may be meant, so one more place than there are characters.
    let start = max(0, min(from - 1, scalars.count))
    let end = max(start, min(to - 1, scalars.count))
    let widths = scalars.map { TextWidth.columns(Visible.scalar($0)) }
    var first = 0
    var last = scalars.count
    if widths.reduce(0, +) > width {
      // A third of the room goes to what is before the span.
      let room = max(8, width - 2)
      var before = 0
      first = start
      while first > 0, before + widths[first - 1] <= room / 3 {
        first -= 1
        before += widths[first]
      }
      last = first
      var taken = 0
      while last < scalars.count, taken + widths[last] <= room {
        taken += widths[last]
        last += 1
      }
    }
    var shown = String.UnicodeScalarView()
    if first > 0 { shown.append("…") }
    shown.append(contentsOf: scalars[first..<last].map(Visible.scalar))
    if last < scalars.count { shown.append("…") }
    text = String(shown)
    underlineStart = (first > 0 ? 1 : 0) + widths[first..<start].reduce(0, +)
    underlineWidth = max(1, widths[start..<max(start, min(end, last))].reduce(0, +))
  }
}

/// How wide text is.
enum TextWidth {
  /// Columns it takes in a terminal.
  static func columns(_ scalar: Unicode.Scalar) -> Int {
    guard scalar.value >= 0x300 else { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
      0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }
}
