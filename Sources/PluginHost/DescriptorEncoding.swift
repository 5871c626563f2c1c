// SPDX-License-Identifier: Apache-2.0

import Values

/// Bytes that are no descriptor, or one that breaks the rules.
public struct DescriptorDecodingError: Error, Sendable, Hashable {
  public var message: String
}

extension PluginDescriptor {
  /// Changes with every change of the encoding, of what is read from a plugin, and of what the rules admit.
  static let encodingVersion: UInt8 = 3

  /// For the pipe of a scanning process and the cache file.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.write(Self.encodingVersion)
    writer.write(abiMajor)
    writer.write(abiMinor)
    writer.write(name)
    writer.write(version)
    writer.write(license)
    writer.write(documentation)
    writer.count(kinds.count)
    for kind in kinds {
      writer.write(kind.schema.name)
      writer.write(kind.schema.documentation)
      writer.write(kind.flags)
      writer.write(kind.schema.isRefreshable)
      writer.write(kind.abilities.rawValue)
      writer.write(kind.schema.parameters)
      writer.write(kind.schema.sends)
    }
    writer.count(functions.count)
    for function in functions {
      writer.write(function.name)
      writer.write(function.documentation)
      writer.count(function.arguments.count)
      for type in function.arguments { writer.write(type.description) }
      writer.write(function.result.description)
    }
    return writer.bytes
  }

  /// Reads what `encoded` wrote. A pure function of bytes that may be anything: the process that wrote them ran foreign code.
  public init(decoding bytes: [UInt8]) throws(DescriptorDecodingError) {
    var reader = ByteReader(bytes)
    do throws(ByteError) {
      self = try Self.decode(&reader)
      try reader.end()
    } catch {
      throw DescriptorDecodingError(message: "byte \(error.offset): not an encoded descriptor")
    }
    do throws(DescriptorProblem) {
      try checkRules()
    } catch {
      throw DescriptorDecodingError(message: error.message)
    }
  }

  private static func decode(_ reader: inout ByteReader) throws(ByteError) -> PluginDescriptor {
    guard try reader.number(UInt8.self) == encodingVersion else { throw reader.failure }
    let abiMajor = try reader.number(UInt32.self)
    let abiMinor = try reader.number(UInt32.self)
    var result = PluginDescriptor(
      name: try reader.text(atMost: DescriptorLimits.name), version: try reader.text(atMost: DescriptorLimits.name),
      license: try reader.text(atMost: DescriptorLimits.name), documentation: try reader.text(atMost: DescriptorLimits.text),
      abiMajor: abiMajor, abiMinor: abiMinor)
    for _ in 0..<(try reader.count(atMost: DescriptorLimits.kinds)) {
      let name = try reader.text(atMost: DescriptorLimits.name)
      let documentation = try reader.text(atMost: DescriptorLimits.text)
      let flags = try reader.number(UInt32.self)
      let isRefreshable = try reader.flag()
      let abilities = Abilities(rawValue: try reader.number(UInt32.self))
      let schema = KindSchema(
        name: name, documentation: documentation, parameters: try reader.parameters(), sends: try reader.parameters(),
        isRefreshable: isRefreshable)
      result.kinds.append(Kind(schema: schema, flags: flags, abilities: abilities))
    }
    for _ in 0..<(try reader.count(atMost: DescriptorLimits.functions)) {
      let name = try reader.text(atMost: DescriptorLimits.name)
      let documentation = try reader.text(atMost: DescriptorLimits.text)
      var arguments: [ValueType] = []
      for _ in 0..<(try reader.count(atMost: 64)) { arguments.append(try reader.type()) }
      let function = Function(name: name, documentation: documentation, arguments: arguments, result: try reader.type())
      result.functions.append(function)
    }
    return result
  }
}

extension ByteWriter {
  fileprivate mutating func write(_ parameters: [KindSchema.Parameter]) {
    count(parameters.count)
    for parameter in parameters {
      write(parameter.name)
      write(parameter.type.description)
      write(parameter.documentation)
      write(parameter.defaultValue)
      let flags = [parameter.isRequired, parameter.isSecret, parameter.isName, parameter.isIdentity]
      write(flags.enumerated().reduce(UInt8(0)) { $0 | ($1.element ? 1 << UInt8($1.offset) : 0) })
      count(parameter.choices.count)
      for choice in parameter.choices { write(choice) }
    }
  }

  mutating func write(_ value: Value) {
    switch value {
    case .unset: write(UInt8(0))
    case .bool(let flag):
      write(UInt8(1))
      write(flag)
    case .int(let number):
      write(UInt8(2))
      write(UInt64(bitPattern: number))
    case .float(let number):
      write(UInt8(3))
      write(number.bitPattern)
    case .string(let text):
      write(UInt8(4))
      write(text)
    case .list(let items):
      write(UInt8(5))
      count(items.count)
      for item in items { write(item) }
    case .map(let entries):
      write(UInt8(6))
      count(entries.count)
      for entry in entries {
        write(entry.key)
        write(entry.value)
      }
    case .structure(let fields):
      write(UInt8(7))
      count(fields.count)
      for field in fields {
        write(field.name)
        write(field.value)
      }
    }
  }
}

extension ByteReader {
  fileprivate mutating func parameters() throws(ByteError) -> [KindSchema.Parameter] {
    var parameters: [KindSchema.Parameter] = []
    for _ in 0..<(try count(atMost: DescriptorLimits.parameters)) {
      let name = try text(atMost: DescriptorLimits.name)
      let type = try type()
      let documentation = try text(atMost: DescriptorLimits.text)
      var budget = DescriptorLimits.values
      let defaultValue = try value(depth: 0, budget: &budget)
      let flags = try number(UInt8.self)
      guard flags < 16 else { throw failure }
      var choices: [String] = []
      for _ in 0..<(try count(atMost: DescriptorLimits.choices)) { choices.append(try text(atMost: DescriptorLimits.name)) }
      parameters.append(
        KindSchema.Parameter(
          name: name, type: type, documentation: documentation, defaultValue: defaultValue, isRequired: flags & 1 != 0,
          isSecret: flags & 2 != 0, isName: flags & 4 != 0, isIdentity: flags & 8 != 0, choices: choices))
    }
    return parameters
  }

  fileprivate mutating func type() throws(ByteError) -> ValueType {
    // A written type may be a little longer than the text the plugin gave: it is written in full.
    guard let type = ValueType(try text(atMost: 2 * DescriptorLimits.type)) else { throw failure }
    return type
  }

  mutating func value(
    depth: Int, budget: inout Int, textLimit: Int = DescriptorLimits.text
  ) throws(ByteError) -> Value {
    budget -= 1
    guard depth <= DescriptorLimits.valueDepth, budget >= 0 else { throw failure }
    switch try number(UInt8.self) {
    case 0: return .unset
    case 1: return .bool(try flag())
    case 2: return .int(Int64(bitPattern: try number(UInt64.self)))
    case 3: return .float(Double(bitPattern: try number(UInt64.self)))
    case 4: return .string(try text(atMost: textLimit))
    case 5:
      var items: [Value] = []
      for _ in 0..<(try count(atMost: budget)) {
        items.append(try value(depth: depth + 1, budget: &budget, textLimit: textLimit))
      }
      return .list(items)
    case 6:
      var entries: [Value.Entry] = []
      for _ in 0..<(try count(atMost: budget)) {
        let key = try value(depth: depth + 1, budget: &budget, textLimit: textLimit)
        entries.append(.init(key: key, value: try value(depth: depth + 1, budget: &budget, textLimit: textLimit)))
      }
      return .map(entries)
    case 7:
      var fields: [Value.Field] = []
      for _ in 0..<(try count(atMost: budget)) {
        let name = try text(atMost: DescriptorLimits.type)
        fields.append(.init(name: name, value: try value(depth: depth + 1, budget: &budget, textLimit: textLimit)))
      }
      return .structure(fields)
    default: throw failure
    }
  }
}
