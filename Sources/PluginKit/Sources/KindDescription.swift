// SPDX-License-Identifier: Apache-2.0

import PluginABI

/// One parameter of a kind. The order of parameters in `KindDescription` is the order of their values in `Parameters`.
public struct Parameter: Sendable {
  public var name: String
  /// In mcl's type syntax: `bool`, `str`, `int`, `float`, `[]str`, `map{str: str}`, ...
  public var type: String
  public var documentation: String
  /// `.unset`: stays undefined when not given.
  public var defaultValue: Value
  public var flags: Flags
  /// For `str`: the only values allowed; empty: any.
  public var choices: [String]

  public struct Flags: OptionSet, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let required = Flags(rawValue: UInt32(MGMT_PARAM_REQUIRED))
    /// Masked in every view.
    public static let secret = Flags(rawValue: UInt32(MGMT_PARAM_SECRET))
    /// Left unset, it takes the resource's name.
    public static let name = Flags(rawValue: UInt32(MGMT_PARAM_NAME))
  }

  public init(
    _ name: String, _ type: String, default defaultValue: Value = .unset, flags: Flags = [], choices: [String] = [],
    _ documentation: String
  ) {
    self.name = name
    self.type = type
    self.documentation = documentation
    self.defaultValue = defaultValue
    self.flags = flags
    self.choices = choices
  }

  func permanentABI() -> UnsafePointer<mgmt_param>? {
    let names = UnsafeMutablePointer<mgmt_str>.allocate(capacity: max(1, choices.count))
    for (position, choice) in choices.enumerated() { (names + position).initialize(to: choice.permanentABI()) }
    let memory = UnsafeMutablePointer<mgmt_param>.allocate(capacity: 1)
    memory.initialize(
      to: mgmt_param(
        size: UInt32(MemoryLayout<mgmt_param>.size), flags: flags.rawValue, name: name.permanentABI(),
        type: type.permanentABI(),
        doc: documentation.permanentABI(), def: defaultValue == .unset ? nil : defaultValue.permanentABI(),
        choices: choices.isEmpty ? nil : UnsafePointer(names), choice_count: choices.count))
    return UnsafePointer(memory)
  }
}

/// What a kind is called, does and accepts.
public struct KindDescription: Sendable {
  public var name: String
  public var documentation: String
  public var parameters: [Parameter]
  /// Fields given to `Call.send`, in order.
  public var sends: [Parameter]
  public var flags: Flags

  public struct Flags: OptionSet, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// `checkApply` never blocks: it runs without a hop to another thread.
    public static let nonblocking = Flags(rawValue: UInt32(MGMT_KIND_NONBLOCKING))
    /// `checkApply` understands `CheckFlags.brief`.
    public static let brief = Flags(rawValue: UInt32(MGMT_KIND_BRIEF))
    /// `checkApply` has a use for `CheckFlags.refresh`.
    public static let refresh = Flags(rawValue: UInt32(MGMT_KIND_REFRESH))
  }

  public init(
    name: String, documentation: String, parameters: [Parameter], sends: [Parameter] = [], flags: Flags = []
  ) {
    self.name = name
    self.documentation = documentation
    self.parameters = parameters
    self.sends = sends
    self.flags = flags
  }
}

/// The values of a resource's parameters, borrowed for the length of the call they were given to. Keys are enums whose raw
/// values are the parameters' positions in the kind's description.
public struct Parameters {
  let values: UnsafePointer<mgmt_value>
  let count: Int

  private func value(_ key: some RawRepresentable<Int>) -> mgmt_value {
    (0..<count).contains(key.rawValue) ? values[key.rawValue] : mgmt_value()
  }

  public subscript(key: some RawRepresentable<Int>) -> Value { Value(value(key)) }

  public func isSet(_ key: some RawRepresentable<Int>) -> Bool { value(key).type != UInt32(MGMT_UNSET) }

  /// nil: not set.
  public func string(_ key: some RawRepresentable<Int>) -> String? {
    let value = value(key)
    return value.type == UInt32(MGMT_STRING) ? String(value.u.s) : nil
  }

  public func bool(_ key: some RawRepresentable<Int>) -> Bool {
    let value = value(key)
    return value.type == UInt32(MGMT_BOOL) && value.u.i != 0
  }

  public func int(_ key: some RawRepresentable<Int>) -> Int64? {
    let value = value(key)
    return value.type == UInt32(MGMT_INT) ? value.u.i : nil
  }

  /// The strings of a `[]str`; empty when not set.
  public func strings(_ key: some RawRepresentable<Int>) -> [String] {
    let value = value(key)
    guard value.type == UInt32(MGMT_LIST) else { return [] }
    return UnsafeBufferPointer(start: value.u.v.at, count: value.u.v.count).map { String($0.u.s) }
  }

  /// The pairs of a `map{str: str}` in the order they were written; empty when not set.
  public func stringMap(_ key: some RawRepresentable<Int>) -> [(key: String, value: String)] {
    let value = value(key)
    guard value.type == UInt32(MGMT_MAP), let items = value.u.v.at else { return [] }
    return stride(from: 0, to: value.u.v.count - 1, by: 2).map { (String(items[$0].u.s), String(items[$0 + 1].u.s)) }
  }
}
