// SPDX-License-Identifier: Apache-2.0

import PluginABI
public import Values

/// What a plugin says about itself, as plain data: a checked copy of its `mgmt_plugin`. It is made in a scanning process,
/// travels and is cached as bytes, and holds no pointers.
public struct PluginDescriptor: Sendable, Hashable {
  public struct Kind: Sendable, Hashable {
    public var schema: KindSchema
    /// `MGMT_KIND_*` bits, as the plugin gave them.
    public var flags: UInt32
    public var abilities: Abilities

    public init(schema: KindSchema, flags: UInt32 = 0, abilities: Abilities = []) {
      self.schema = schema
      self.flags = flags
      self.abilities = abilities
    }

    public var isNonblocking: Bool { flags & UInt32(MGMT_KIND_NONBLOCKING) != 0 }
    public var hasBlockingWatch: Bool { flags & UInt32(MGMT_KIND_BLOCKING_WATCH) != 0 }
  }

  /// Optional methods a kind has.
  public struct Abilities: OptionSet, Sendable, Hashable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let watch = Abilities(rawValue: 1)
    public static let update = Abilities(rawValue: 2)
    public static let automaticEdges = Abilities(rawValue: 4)
    public static let grouping = Abilities(rawValue: 8)
    public static let reverse = Abilities(rawValue: 16)
    public static let identities = Abilities(rawValue: 32)

    static let known: [(ability: Abilities, name: String)] = [
      (.watch, "watch"), (.update, "update"), (.identities, "identities"), (.automaticEdges, "automatic edges"),
      (.grouping, "grouping"), (.reverse, "reverse"),
    ]
  }

  /// A pure function for the language.
  public struct Function: Sendable, Hashable {
    public var name: String
    public var documentation: String
    /// Of `bool`, `int`, `float` and `str` only.
    public var arguments: [ValueType]
    public var result: ValueType

    public init(name: String, documentation: String = "", arguments: [ValueType], result: ValueType) {
      self.name = name
      self.documentation = documentation
      self.arguments = arguments
      self.result = result
    }

    public var signature: String { "func(" + arguments.map(\.description).joined(separator: ", ") + ") \(result)" }
  }

  public var name: String
  public var version: String
  /// SPDX; may be empty.
  public var license: String
  public var documentation: String
  public var abiMajor: UInt32
  /// The lowest minor version the plugin can live with.
  public var abiMinor: UInt32
  public var kinds: [Kind]
  public var functions: [Function]

  public init(
    name: String, version: String, license: String = "", documentation: String = "", abiMajor: UInt32 = 1, abiMinor: UInt32 = 0,
    kinds: [Kind] = [], functions: [Function] = []
  ) {
    self.name = name
    self.version = version
    self.license = license
    self.documentation = documentation
    self.abiMajor = abiMajor
    self.abiMinor = abiMinor
    self.kinds = kinds
    self.functions = functions
  }

  /// As `1.0`.
  public var abi: String { "\(abiMajor).\(abiMinor)" }

  /// What this host offers, as `1.0`.
  public static var hostABI: String { "\(MGMT_ABI_MAJOR).\(MGMT_ABI_MINOR)" }
}

/// Why a descriptor cannot be used.
struct DescriptorProblem: Error, Hashable {
  enum Kind: Hashable {
    /// It is for another version of the ABI.
    case version
    case content
  }

  var kind: Kind = .content
  /// Where in the descriptor and what: `kind "x": parameter "y": its type "z" is not a type`.
  var message: String

  init(_ message: String, kind: Kind = .content) {
    self.message = message
    self.kind = kind
  }

  /// The same problem, seen from further out.
  func inside(_ place: String) -> DescriptorProblem { DescriptorProblem("\(place): \(message)", kind: kind) }
}

/// Names the place of the problems of `body`.
func within<Result>(
  _ place: @autoclosure () -> String, _ body: () throws(DescriptorProblem) -> Result
) throws(DescriptorProblem) -> Result {
  do throws(DescriptorProblem) {
    return try body()
  } catch {
    throw error.inside(place())
  }
}
