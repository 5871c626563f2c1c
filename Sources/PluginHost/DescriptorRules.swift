// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Values

/// How much a descriptor may hold: it is foreign data.
enum DescriptorLimits {
  /// Bytes of a documentation text or a default.
  static let text = 1 << 16
  /// Bytes of a name, a version, a choice.
  static let name = 255
  /// Bytes of a type or a signature.
  static let type = 4096
  static let kinds = 1024
  /// Parameters of a kind; also fields it sends.
  static let parameters = 1024
  static let choices = 1024
  static let functions = 4096
  /// Values in all defaults of one parameter, containers counted too.
  static let values = 1 << 16
  static let valueDepth = 32
  /// Bytes of an encoded descriptor.
  static let encoded = 1 << 24
}

extension PluginDescriptor {
  /// The rules that do not need the plugin's memory. They hold for every descriptor the agent works with, wherever it came from.
  func checkRules() throws(DescriptorProblem) {
    try Self.checkVersion(major: abiMajor, minor: abiMinor)
    try within("its name") { () throws(DescriptorProblem) in try DescriptorRules.line(name, mayBeEmpty: false) }
    try within("its version") { () throws(DescriptorProblem) in try DescriptorRules.line(version, mayBeEmpty: false) }
    try within("its license") { () throws(DescriptorProblem) in try DescriptorRules.line(license, mayBeEmpty: true) }
    try within("its documentation") { () throws(DescriptorProblem) in try DescriptorRules.prose(documentation) }
    try DescriptorRules.count(kinds.count, atMost: DescriptorLimits.kinds, "kinds")
    try DescriptorRules.count(functions.count, atMost: DescriptorLimits.functions, "functions")
    if kinds.isEmpty, functions.isEmpty { throw DescriptorProblem("it offers no kind and no function") }
    var names: Set<String> = []
    for (position, kind) in kinds.enumerated() {
      try within(place("kind", kind.schema.name, position)) { () throws(DescriptorProblem) in
        try DescriptorRules.kindName(kind.schema.name)
        guard names.insert(kind.schema.name).inserted else { throw DescriptorProblem("it is offered twice") }
        try kind.checkRules()
      }
    }
    names = []
    for (position, function) in functions.enumerated() {
      try within(place("function", function.name, position)) { () throws(DescriptorProblem) in
        try DescriptorRules.functionName(function.name)
        guard names.insert(function.name).inserted else { throw DescriptorProblem("it is offered twice") }
        try within("its documentation") { () throws(DescriptorProblem) in try DescriptorRules.prose(function.documentation) }
        try DescriptorRules.count(function.arguments.count, atMost: 64, "arguments")
        guard (function.arguments + [function.result]).allSatisfy(\.isBasic) else {
          throw DescriptorProblem("its signature \(function.signature) may use bool, int, float and str only")
        }
      }
    }
  }

  static func checkVersion(major: UInt32, minor: UInt32) throws(DescriptorProblem) {
    guard major == UInt32(MGMT_ABI_MAJOR), minor <= UInt32(MGMT_ABI_MINOR) else {
      throw DescriptorProblem("it asks for ABI \(major).\(minor), this mgmt offers \(hostABI)", kind: .version)
    }
  }
}

extension PluginDescriptor.Kind {
  fileprivate func checkRules() throws(DescriptorProblem) {
    try DescriptorRules.flags(flags)
    try within("its documentation") { () throws(DescriptorProblem) in try DescriptorRules.prose(schema.documentation) }
    try check(schema.parameters, "parameter")
    try check(schema.sends, "sent field")
  }

  private func check(_ parameters: [KindSchema.Parameter], _ what: String) throws(DescriptorProblem) {
    try DescriptorRules.count(parameters.count, atMost: DescriptorLimits.parameters, "\(what)s")
    var names: Set<String> = []
    for (position, parameter) in parameters.enumerated() {
      try within(place(what, parameter.name, position)) { () throws(DescriptorProblem) in
        try DescriptorRules.parameterName(parameter.name)
        guard names.insert(parameter.name).inserted else { throw DescriptorProblem("it is declared twice") }
        try parameter.checkRules()
      }
    }
  }
}

extension KindSchema.Parameter {
  fileprivate func checkRules() throws(DescriptorProblem) {
    try within("its documentation") { () throws(DescriptorProblem) in try DescriptorRules.prose(documentation) }
    try within("its default") { () throws(DescriptorProblem) in
      var budget = DescriptorLimits.values
      try DescriptorRules.value(defaultValue, depth: 0, budget: &budget)
    }
    guard type.admits(defaultValue) else { throw DescriptorProblem("its default \(defaultValue) is not of its type \(type)") }
    if isRequired, !defaultValue.isUnset { throw DescriptorProblem("it is required and has a default") }
    guard !choices.isEmpty else { return }
    guard type == .string else { throw DescriptorProblem("it has choices, which only a str can have, and is of type \(type)") }
    try DescriptorRules.count(choices.count, atMost: DescriptorLimits.choices, "choices")
    var seen: Set<String> = []
    for choice in choices {
      try within("a choice") { () throws(DescriptorProblem) in try DescriptorRules.line(choice, mayBeEmpty: true) }
      guard seen.insert(choice).inserted else { throw DescriptorProblem("its choice \(Value.quote(choice)) is there twice") }
    }
    if let text = defaultValue.stringValue, !seen.contains(text) {
      throw DescriptorProblem("its default \(defaultValue) is not one of its choices")
    }
  }
}

extension ValueType {
  fileprivate var isBasic: Bool {
    switch self {
    case .bool, .int, .float, .string: true
    case .list, .map, .structure, .any: false
    }
  }
}

/// `kind "file"`; by number when the name is not fit to be shown.
func place(_ what: String, _ name: String, _ position: Int) -> String {
  let isShowable = !name.isEmpty && name.utf8.count <= 64 && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
  return isShowable ? "\(what) \"\(name)\"" : "\(what) \(position + 1)"
}

enum DescriptorRules {
  static func count(_ count: Int, atMost limit: Int, _ what: String) throws(DescriptorProblem) {
    guard count <= limit else { throw DescriptorProblem("\(count) \(what): at most \(limit) are allowed") }
  }

  /// The high half of flags changes the meaning of what is there: what is not known must be refused. None is known yet.
  static func flags(_ flags: UInt32) throws(DescriptorProblem) {
    guard flags & 0xffff_0000 == 0 else {
      let hex = String(flags & 0xffff_0000, radix: 16)
      throw DescriptorProblem("it sets flags this mgmt does not know (0x\(hex))", kind: .version)
    }
  }

  static func line(_ text: String, mayBeEmpty: Bool) throws(DescriptorProblem) {
    guard mayBeEmpty || !text.isEmpty else { throw DescriptorProblem("it is empty") }
    try length(text, DescriptorLimits.name)
    guard !text.unicodeScalars.contains(where: isControl) else { throw DescriptorProblem("it holds a control character") }
  }

  static func prose(_ text: String) throws(DescriptorProblem) {
    try length(text, DescriptorLimits.text)
    guard !text.unicodeScalars.contains(where: { isControl($0) && $0 != "\n" && $0 != "\t" }) else {
      throw DescriptorProblem("it holds a control character")
    }
  }

  /// As the language writes kinds: `file`, `http:server:file`.
  static func kindName(_ name: String) throws(DescriptorProblem) {
    try self.name(name, "small letters, digits, \"_\" and \":\"") {
      isLower($0) || isDigit($0) || $0 == underscore || $0 == colon
    }
  }

  static func parameterName(_ name: String) throws(DescriptorProblem) {
    try self.name(name, "letters, digits and \"_\"") { isLower($0 | 0x20) || isDigit($0) || $0 == underscore }
  }

  static func functionName(_ name: String) throws(DescriptorProblem) {
    try self.name(name, "small letters, digits, \"_\" and \".\"") {
      isLower($0) || isDigit($0) || $0 == underscore || $0 == dot
    }
  }

  private static func name(
    _ name: String, _ allowed: String, _ admits: (UInt8) -> Bool
  ) throws(DescriptorProblem) {
    guard let first = name.utf8.first else { throw DescriptorProblem("it has no name") }
    try length(name, DescriptorLimits.name)
    guard isLower(first | 0x20) || first == underscore, name.utf8.allSatisfy(admits),
      let last = name.utf8.last, last != colon, last != dot
    else {
      throw DescriptorProblem("its name \(Value.quote(name)) is not a name: \(allowed), a letter first")
    }
  }

  /// What types cannot say: a default is small, compares equal to itself, and has no key twice.
  static func value(_ value: Value, depth: Int, budget: inout Int) throws(DescriptorProblem) {
    budget -= 1
    guard depth <= DescriptorLimits.valueDepth, budget >= 0 else { throw DescriptorProblem("it is too large") }
    switch value {
    case .unset, .bool, .int: break
    case .float(let number): if number.isNaN { throw DescriptorProblem("it is not a number") }
    case .string(let text): try length(text, DescriptorLimits.text)
    case .list(let items): for item in items { try self.value(item, depth: depth + 1, budget: &budget) }
    case .structure(let fields): for field in fields { try self.value(field.value, depth: depth + 1, budget: &budget) }
    case .map(let entries):
      var keys: Set<Value> = []
      for entry in entries {
        try self.value(entry.key, depth: depth + 1, budget: &budget)
        try self.value(entry.value, depth: depth + 1, budget: &budget)
        guard keys.insert(entry.key).inserted else { throw DescriptorProblem("its key \(entry.key) is there twice") }
      }
    }
  }

  private static func length(_ text: String, _ limit: Int) throws(DescriptorProblem) {
    guard text.utf8.count <= limit else {
      throw DescriptorProblem("it is \(text.utf8.count) bytes long: at most \(limit) are allowed")
    }
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
  }

  private static let underscore = UInt8(ascii: "_")
  private static let colon = UInt8(ascii: ":")
  private static let dot = UInt8(ascii: ".")
  private static func isLower(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") }
  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
