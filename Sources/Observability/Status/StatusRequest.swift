// SPDX-License-Identifier: Apache-2.0

/// What a client of the status socket asks for: one line, `status text`, `status json`, `watch text` or `watch json`.
public struct StatusRequest: Sendable, Equatable {
  /// Go on with what changes.
  public var watches: Bool
  public var isJSON: Bool

  static let maximumBytes = 64
  static let errorWord = "error "

  public init(watches: Bool, isJSON: Bool) {
    self.watches = watches
    self.isJSON = isJSON
  }

  init?(line: some Collection<UInt8>) {
    switch String(decoding: line, as: UTF8.self) {
    case "status text": self.init(watches: false, isJSON: false)
    case "status json": self.init(watches: false, isJSON: true)
    case "watch text": self.init(watches: true, isJSON: false)
    case "watch json": self.init(watches: true, isJSON: true)
    default: return nil
    }
  }

  var line: [UInt8] { Array("\(watches ? "watch" : "status") \(isJSON ? "json" : "text")\n".utf8) }

  var renderer: any StatusRenderer { isJSON ? JSONStatus() : TextStatus() }
}
