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
    /// It says which thing is meant and nothing else, as the path of a file: two resources with one primary identity ask for the same
    /// when all other parameters are equal.
    public static let identity = Flags(rawValue: UInt32(MGMT_PARAM_IDENTITY))
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
  /// Which optional methods of `Resource` are there. The others are never called.
  public var traits: Traits

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

  /// Optional methods of `Resource` a kind overrides. What is not named costs nothing: 100,000 resources that cannot be grouped
  /// are not asked whether they can.
  public struct Traits: OptionSet, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// `identities`: others may depend on these resources by themselves.
    public static let identities = Traits(rawValue: 1)
    /// `automaticEdges`: these resources may depend on others by themselves.
    public static let automaticEdges = Traits(rawValue: 2)
    /// `mayGroup` and `group`.
    public static let grouping = Traits(rawValue: 4)
    /// `update`. Without it a resource that receives a value is made anew.
    public static let update = Traits(rawValue: 8)
    /// `reverse`.
    public static let reversal = Traits(rawValue: 16)
    /// `isSame`. Without it resources whose parameters are equal are the same.
    public static let comparison = Traits(rawValue: 32)
    /// `ResourceKind.prepare`: what automatic edges and groups need has to be found out first.
    public static let preparation = Traits(rawValue: 64)
    /// `ResourceKind.settle`: what resources write has to be brought to the disk.
    public static let settling = Traits(rawValue: 128)
  }

  public init(
    name: String, documentation: String, parameters: [Parameter], sends: [Parameter] = [], flags: Flags = [],
    traits: Traits = []
  ) {
    self.name = name
    self.documentation = documentation
    self.parameters = parameters
    self.sends = sends
    self.flags = flags
    self.traits = traits
  }
}
