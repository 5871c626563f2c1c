// SPDX-License-Identifier: Apache-2.0

public import Values

extension MetaParameters {
  /// One meta parameter as frontends write it.
  public struct Parameter: Sendable {
    public var name: String
    public var type: ValueType
    /// What it is when it is not given.
    public var defaultValue: Value
    /// Which values of the type are allowed, in words; empty: all of them.
    public var range: String
    public var documentation: String

    /// Without a default: `false`, 0 or empty.
    fileprivate init(
      name: String, type: ValueType, defaultValue: Value? = nil, range: String = "", documentation: String
    ) {
      self.name = name
      self.type = type
      self.range = range
      self.documentation = documentation
      self.defaultValue = defaultValue ?? (type == .bool ? .bool(false) : type == .int ? .int(0) : .list([]))
    }
  }

  /// A value that cannot be.
  public struct Problem: Error, Equatable {
    /// The meta parameter.
    public var name: String
    public var message: String
    public var hint: String
  }

  /// All of them, in the order of the struct form of the language.
  public static let schema: [Parameter] = [
    .init(name: "noop", type: .bool, documentation: "look only, change nothing"),
    .init(
      name: "retry", type: .int, range: "-1 to \(Int16.max)",
      documentation: "how often a failed check is tried again; -1: without end, and a lost watch at the same pace"),
    .init(name: "retryreset", type: .bool, documentation: "each success gives the checks all their retries back"),
    .init(
      name: "delay", type: .int, range: "0 to \(longestTime)",
      documentation: "milliseconds between a failure and the next attempt"),
    .init(
      name: "timeout", type: .int, range: "0 to \(longestTime)",
      documentation: "milliseconds one check may take; 0: no limit"),
    .init(
      name: "poll", type: .int, range: "\(Int32.min) to \(Int32.max)",
      documentation: "above 0: check every so many seconds instead of watching; below 0: check once; 0: watch"),
    .init(
      name: "limit", type: .float, defaultValue: .float(.infinity), range: "above 0; needs a burst unless it is .inf",
      documentation: "events a second that lead to checks; .inf: all"),
    .init(
      name: "burst", type: .int, range: "0 to \(Int32.max)",
      documentation: "events that may come at once before limit counts"),
    .init(name: "reset", type: .bool, documentation: "a changed resource forgets how often it was tried again"),
    .init(
      name: "sema", type: .list(.string), range: "names that are no numbers, not empty",
      documentation: "semaphores held while it is checked: name, name:N or :N, where N is how many may hold it at a time"),
    .init(name: "rewatch", type: .bool, documentation: "begin anew at the next graph if it has failed"),
    .init(name: "realize", type: .bool, documentation: "be as asked at least once before another graph takes it away"),
    .init(name: "dollar", type: .bool, documentation: "the name may begin with $"),
    .init(name: "hidden", type: .bool, documentation: "in the graph, but neither watched nor checked"),
    .init(
      name: "export", type: .list(.string), range: "not empty",
      documentation: "hosts it is for, or *"),
    .init(name: "reverse", type: .bool, documentation: "put back what it changed when it leaves the graph"),
    .init(
      name: "autoedge", type: .bool, defaultValue: .bool(true),
      documentation: "take part in automatic edges"),
    .init(
      name: "autogroup", type: .bool, defaultValue: .bool(true),
      documentation: "take part in automatic groups"),
    .init(
      name: "secret", type: .list(.string), range: "not empty",
      documentation: "parameters, and fields it sends, that nobody may see: a mask is shown, in every text about it"),
  ]

  /// Sets one by its name to a value of its type in `schema`; another type, an unknown name or a value out of range throws.
  public mutating func set(_ name: String, to value: Value) throws(Problem) {
    switch (name, value) {
    case ("noop", .bool(let flag)): noop = flag
    case ("retry", .int(let number)):
      guard let number = Int16(exactly: number), number >= -1 else {
        throw Problem(name: name, message: "\(number) is out of range", hint: "-1 for no end, or 0 to \(Int16.max)")
      }
      retry = number
    case ("retryreset", .bool(let flag)): retryReset = flag
    case ("delay", .int(let number)): delay = try Self.milliseconds(number, name)
    case ("timeout", .int(let number)): timeout = try Self.milliseconds(number, name)
    case ("poll", .int(let number)):
      guard let number = Int32(exactly: number) else {
        throw Problem(name: name, message: "\(number) is out of range", hint: "seconds, \(Int32.min) to \(Int32.max)")
      }
      poll = number
    case ("limit", .float(let number)):
      guard number > 0 else {
        throw Problem(
          name: name, message: "\(number) events a second would never let a check begin",
          hint: "a number above 0, or .inf for no limit; poll: -1 checks once")
      }
      limit = number
    case ("burst", .int(let number)):
      guard (0...Int64(Int32.max)).contains(number) else {
        throw Problem(name: name, message: "\(number) is out of range", hint: "0 to \(Int32.max)")
      }
      burst = Int(number)
    case ("reset", .bool(let flag)): reset = flag
    case ("sema", .list(let items)): semaphores = try Self.semaphores(items)
    case ("rewatch", .bool(let flag)): rewatch = flag
    case ("realize", .bool(let flag)): realize = flag
    case ("dollar", .bool(let flag)): dollar = flag
    case ("hidden", .bool(let flag)): hidden = flag
    case ("export", .list(let items)): export = try Self.hosts(items)
    case ("reverse", .bool(let flag)): reverse = flag
    case ("autoedge", .bool(let flag)): autoEdge = flag
    case ("autogroup", .bool(let flag)): autoGroup = flag
    case ("secret", .list(let items)): secret = try Self.names(items)
    default:
      guard let parameter = Self.schema.first(where: { $0.name == name }) else {
        throw Problem(name: name, message: "there is no such meta parameter", hint: "")
      }
      throw Problem(name: name, message: "\(value) is no \(parameter.type)", hint: "a value of type \(parameter.type)")
    }
  }

  /// What does not go together, once all are set.
  public var problem: Problem? {
    if limit.isFinite, burst == 0 {
      return Problem(
        name: "limit", message: "without burst no check would ever begin",
        hint: "set burst to how many events may come at once, 1 or more")
    }
    return nil
  }

  /// Milliseconds; more would not fit in nanoseconds.
  private static let longestTime = Int64.max / 1_000_000

  private static func milliseconds(_ number: Int64, _ name: String) throws(Problem) -> UInt64 {
    guard (0...longestTime).contains(number) else {
      throw Problem(name: name, message: "\(number) is out of range", hint: "milliseconds, 0 to \(longestTime)")
    }
    return UInt64(number)
  }

  /// Each once, in the order given.
  private static func semaphores(_ items: [Value]) throws(Problem) -> [String] {
    var ids: [String] = []
    for item in items {
      guard let id = item.stringValue, !id.isEmpty, Int64(id) == nil else {
        throw Problem(
          name: "sema", message: "\(item) is not the id of a semaphore",
          hint: "an id is a name, `name:N` or `:N`, where N is how many may hold it at a time")
      }
      if !ids.contains(id) { ids.append(id) }
    }
    return ids
  }

  private static func names(_ items: [Value]) throws(Problem) -> [String] {
    var names: [String] = []
    for item in items {
      guard let name = item.stringValue, !name.isEmpty else {
        throw Problem(
          name: "secret", message: "\(item) is not the name of a parameter", hint: "names of parameters, or of fields it sends")
      }
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  private static func hosts(_ items: [Value]) throws(Problem) -> [String] {
    var hosts: [String] = []
    for item in items {
      guard let host = item.stringValue, !host.isEmpty else {
        throw Problem(name: "export", message: "\(item) is not the name of a host", hint: "names of hosts, or * for all")
      }
      if !hosts.contains(host) { hosts.append(host) }
    }
    return hosts
  }
}
