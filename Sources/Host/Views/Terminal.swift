// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What standard error can show.
enum Terminal {
  static let isTerminal: Bool = isatty(STDERR_FILENO) == 1 && Environment["TERM"] != "dumb"
  /// NO_COLOR: https://no-color.org
  static let hasColor: Bool = isTerminal && Environment["NO_COLOR"] == nil

  enum Style: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case faint = "2"
  }

  /// Results may go to a file while errors go to a terminal.
  private static let outputHasColor =
    isatty(Output.results) == 1 && Environment["TERM"] != "dumb" && Environment["NO_COLOR"] == nil

  enum Stream { case output, errors }

  static func styled(_ text: String, _ style: Style, on stream: Stream = .errors) -> String {
    (stream == .output ? outputHasColor : hasColor) ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }

  /// Columns; 80 when it cannot be told.
  static var width: Int {
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }
}
