// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// The full name of one unit: `demo.service`, `backup.timer`, `getty@tty1.service`.
struct UnitName: Hashable, Sendable {
  let text: String

  static let types = [
    "service", "socket", "target", "device", "mount", "automount", "swap", "timer", "path", "slice", "scope",
  ]
  private static let longest = 255

  /// A name without the suffix of a unit type is a service's, as for systemctl.
  init(_ name: String) throws(Failure) {
    try Self.check(name)
    let text = Self.type(of: name) == nil ? name + ".service" : name
    guard text.utf8.count <= Self.longest else {
      throw Failure("the unit's name has \(text.utf8.count) bytes, systemd allows \(Self.longest)")
    }
    guard !text.hasPrefix("."), !text.hasPrefix("@") else {
      throw Failure("\"\(text)\" is not the name of a unit", hint: "write a name such as nginx, backup.timer or getty@tty1")
    }
    let stem = text.dropLast(text.utf8.count - Self.stemLength(text))
    guard !stem.hasSuffix("@") else {
      throw Failure(
        "\(text) is a template: only its instances can run or be enabled",
        hint: "name an instance: \(stem)NAME\(text.dropFirst(stem.count))")
    }
    self.text = text
  }

  private static func check(_ name: String) throws(Failure) {
    if name.isEmpty { throw Failure("the name is empty", hint: "name the unit, such as nginx or backup.timer") }
    if name.hasPrefix("/") {
      throw Failure(
        "\"\(name)\" is a path, not the name of a unit",
        hint: "the unit's name is what this prints: systemd-escape --path --suffix=mount '\(name)'")
    }
    for scalar in name.unicodeScalars where !isAllowed(scalar) {
      throw Failure(
        "the unit's name contains \(scalar.debugDescription), which systemd does not allow",
        hint: "letters, digits and :-_.\\@ are allowed; systemd-escape writes other characters as \\xNN")
    }
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", ":", "-", "_", ".", "\\", "@": true
    default: false
    }
  }

  private static func type(of name: String) -> Substring? {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let suffix = name[name.index(after: dot)...]
    return types.contains { $0 == suffix } && dot != name.startIndex ? suffix : nil
  }

  /// Bytes before the last dot.
  private static func stemLength(_ text: String) -> Int {
    text.lastIndex(of: ".").map { text.utf8.distance(from: text.startIndex, to: $0) } ?? text.utf8.count
  }

  /// `service`, `timer`, ...
  var type: String { Self.type(of: text).map(String.init) ?? "service" }

  /// `getty@.service` of `getty@tty1.service`; nil: not an instance.
  var template: String? {
    guard let at = text.firstIndex(of: "@"), let dot = text.lastIndex(of: "."), at < dot else { return nil }
    return "\(text[...at])\(text[dot...])"
  }

  /// Names that systemd takes as parts of this one, though there need not be such units: of `foo-bar-baz.service` these are
  /// `foo-.service` and `foo-bar-.service`; of an instance `foo-@NAME.service` and `foo-@.service`, too.
  var commonNames: [String] {
    guard let dot = text.lastIndex(of: ".") else { return [] }
    let end = text.firstIndex(of: "@") ?? dot
    let prefix = text[..<end]
    return prefix.indices.filter { prefix[$0] == "-" && prefix.index(after: $0) != end }.flatMap { dash in
      let instances = template == nil ? [""] : [text[end..<dot], "@", ""]
      return instances.map { "\(prefix[...dash])\($0)\(text[dot...])" }
    }
  }

  /// Units whose names are like this one, which was not found. Their types do not matter: a service may be asked for where there is
  /// a timer only.
  func near(_ files: [String]) -> [String] {
    mistypedTypes.filter(files.contains) + Self.near(text, files)
  }

  private static func near(_ name: String, _ files: [String]) -> [String] {
    NearNames.of(name, in: files) { name in name.lastIndex(of: ".").map { name[..<$0] } ?? name[...] }
  }

  /// What may have been meant by a suffix that is none, which made this a service: `demo.service` by `demo.sevice`.
  private var mistypedTypes: [String] {
    let given = text.dropLast(".service".utf8.count)
    guard text.hasSuffix(".service"), let dot = given.lastIndex(of: "."), dot != given.startIndex else { return [] }
    let suffix = String(given[given.index(after: dot)...])
    return NearNames.of(suffix, in: Self.types).map { "\(given[...dot])\($0)" }
  }

  /// The object of this unit on the bus.
  var objectPath: String { Self.objectPath(of: text) }

  /// Bytes that are not letters or digits, and a digit at the beginning, are written as `_` and two hexadecimal digits.
  static func objectPath(of name: String) -> String {
    var path = "/org/freedesktop/systemd1/unit/"
    if name.isEmpty { return path + "_" }
    let digits = Array("0123456789abcdef".unicodeScalars)
    for (position, byte) in name.utf8.enumerated() {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
        path.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: "0")...UInt8(ascii: "9") where position > 0:
        path.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        path += "_"
        path.unicodeScalars.append(digits[Int(byte >> 4)])
        path.unicodeScalars.append(digits[Int(byte & 15)])
      }
    }
    return path
  }
}
