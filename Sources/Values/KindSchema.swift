// SPDX-License-Identifier: Apache-2.0

/// What a kind of resource accepts and sends, as its plugin declares it. Frontends check against it; documentation,
/// completions and `mgmt plugins show` are made from it.
public struct KindSchema: Sendable, Hashable {
  public struct Parameter: Sendable, Hashable {
    public var name: String
    public var type: ValueType
    public var documentation: String
    /// `.unset` when the parameter stays undefined unless given.
    public var defaultValue: Value
    public var isRequired: Bool
    /// Never shown: views print a mask.
    public var isSecret: Bool
    /// Left unset, it takes the resource's name.
    public var isName: Bool
    /// It says which thing is meant and nothing else.
    public var isIdentity: Bool
    /// The only values a `str` may take; empty: any.
    public var choices: [String]

    public init(
      name: String, type: ValueType, documentation: String = "", defaultValue: Value = .unset, isRequired: Bool = false,
      isSecret: Bool = false, isName: Bool = false, isIdentity: Bool = false, choices: [String] = []
    ) {
      self.name = name
      self.type = type
      self.documentation = documentation
      self.defaultValue = defaultValue
      self.isRequired = isRequired
      self.isSecret = isSecret
      self.isName = isName
      self.isIdentity = isIdentity
      self.choices = choices
    }
  }

  public var name: String
  public var documentation: String
  public var parameters: [Parameter]
  /// Fields it sends to other resources: name, type and documentation count.
  public var sends: [Parameter]
  /// A notification makes it do something.
  public var isRefreshable: Bool
  /// Of the parameters that are secret.
  public let secretPositions: [Int]
  private var index: [String: Int]

  public init(
    name: String, documentation: String = "", parameters: [Parameter], sends: [Parameter] = [], isRefreshable: Bool = false
  ) {
    self.name = name
    self.documentation = documentation
    self.parameters = parameters
    self.sends = sends
    self.isRefreshable = isRefreshable
    secretPositions = parameters.indices.filter { parameters[$0].isSecret }
    index = [:]
    for (position, parameter) in parameters.enumerated() { index[parameter.name] = position }
  }

  /// The position of a parameter in `parameters`, and so in `Resource.parameters`.
  public func position(of parameter: String) -> Int? {
    index[parameter]
  }
}

/// The kinds of resources that can be used in a graph.
public protocol KindCatalog: AnyObject {
  /// nil: no plugin offers this kind.
  func schema(of kind: String) -> KindSchema?
  /// All kinds, sorted.
  var kindNames: [String] { get }
  /// What keeps those kinds away that something would offer.
  var absentKinds: [String: KindAbsence] { get }
}

extension KindCatalog {
  public var absentKinds: [String: KindAbsence] { [:] }
}

/// Why a kind cannot be used although it is on this machine.
public struct KindAbsence: Sendable, Hashable {
  /// A sentence.
  public var reason: String
  /// What to do.
  public var hint: String?

  public init(reason: String, hint: String? = nil) {
    self.reason = reason
    self.hint = hint
  }
}

/// Names of kinds that are kept free for what they will be.
public enum ReservedKinds {
  /// nil: the name is free. What to say to somebody who uses it already.
  public static func note(on kind: String) -> String? {
    switch kind {
    case "kv": "The kind kv writes into the store that hosts share; it comes with the store, which this version does not have."
    default: nil
    }
  }
}
