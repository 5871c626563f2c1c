// SPDX-License-Identifier: Apache-2.0

import PluginABI
import Values

extension PluginDescriptor {
  /// Copies and checks a plugin's own data. What cannot be checked, a pointer to nowhere, ends the process: that is why it
  /// runs in a scanning process first.
  init(reading plugin: UnsafePointer<mgmt_plugin>) throws(DescriptorProblem) {
    let reader = DescriptorReader()
    self = try reader.plugin(UnsafeRawPointer(plugin))
    try checkRules()
  }
}

extension mgmt_plugin {
  /// A copy of a plugin's table; fields beyond its own size are zero.
  init(bounded source: UnsafeRawPointer) {
    self.init()
    let size = source.loadUnaligned(fromByteOffset: MemoryLayout<mgmt_plugin>.offset(of: \.size) ?? 0, as: UInt32.self)
    copyBounded(source, size: size, to: &self)
  }
}

extension mgmt_kind {
  /// A copy of a kind's table; fields beyond its own size are zero: methods it was built without are not there.
  init(bounded source: UnsafeRawPointer) {
    self.init()
    copyBounded(source, size: source.loadUnaligned(as: UInt32.self), to: &self)
  }
}

private func copyBounded<T: BitwiseCopyable>(_ source: UnsafeRawPointer, size: UInt32, to copy: inout T) {
  withUnsafeMutableBytes(of: &copy) { bytes in
    let count = min(Int(size), bytes.count)
    bytes.copyMemory(from: UnsafeRawBufferPointer(start: source, count: count))
  }
}

struct DescriptorReader {
  func plugin(_ source: UnsafeRawPointer) throws(DescriptorProblem) -> PluginDescriptor {
    // The version first: it says what the rest means.
    try aligned(source)
    let major = source.loadUnaligned(as: UInt32.self)
    let minor = source.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
    try PluginDescriptor.checkVersion(major: major, minor: minor)
    let table = mgmt_plugin(bounded: source)
    try size(table.size, reaches: MemoryLayout<mgmt_plugin>.offset(of: \.funcs))
    try DescriptorRules.flags(table.flags)
    return PluginDescriptor(
      name: try text(table.name, DescriptorLimits.name, "its name"),
      version: try text(table.version, DescriptorLimits.name, "its version"),
      license: try text(table.license, DescriptorLimits.name, "its license"),
      documentation: try text(table.doc, DescriptorLimits.text, "its documentation"), abiMajor: major, abiMinor: minor,
      kinds: try kinds(table),
      functions: try functions(table))
  }

  private func kinds(_ table: mgmt_plugin) throws(DescriptorProblem) -> [PluginDescriptor.Kind] {
    var kinds: [PluginDescriptor.Kind] = []
    let pointers = try array(table.kinds, table.kind_count, atMost: DescriptorLimits.kinds, "kinds")
    for (position, pointer) in pointers.enumerated() {
      kinds.append(try within("kind \(position + 1)") { () throws(DescriptorProblem) in try kind(try present(pointer)) })
    }
    return kinds
  }

  private func kind(_ source: UnsafeRawPointer) throws(DescriptorProblem) -> PluginDescriptor.Kind {
    try aligned(source)
    let table = mgmt_kind(bounded: source)
    try size(table.size, reaches: MemoryLayout<mgmt_kind>.offset(of: \.cancel))
    try DescriptorRules.flags(table.flags)
    let name = try text(table.name, DescriptorLimits.name, "its name")
    return try within(name.isEmpty ? "its name" : "\"\(name)\"") { () throws(DescriptorProblem) in
      try DescriptorRules.kindName(name)
      try methods(table)
      let schema = KindSchema(
        name: name, documentation: try text(table.doc, DescriptorLimits.text, "its documentation"),
        parameters: try parameters(table.params, table.param_count, "parameter"),
        sends: try parameters(table.sends, table.send_count, "sent field"),
        isRefreshable: table.flags & UInt32(MGMT_KIND_REFRESH) != 0)
      return PluginDescriptor.Kind(schema: schema, flags: table.flags, abilities: abilities(table))
    }
  }

  private func methods(_ table: mgmt_kind) throws(DescriptorProblem) {
    if table.create == nil { throw DescriptorProblem("it has no create method") }
    if table.destroy == nil { throw DescriptorProblem("it has no destroy method") }
    if table.check_apply == nil { throw DescriptorProblem("it has no check_apply method") }
    let isBlocking = table.flags & UInt32(MGMT_KIND_BLOCKING_WATCH) != 0
    if isBlocking, table.watch_blocking == nil {
      throw DescriptorProblem("it sets MGMT_KIND_BLOCKING_WATCH and has no watch_blocking method")
    }
    if !isBlocking, table.watch != nil, table.unwatch == nil { throw DescriptorProblem("it has a watch and no unwatch method") }
  }

  private func abilities(_ table: mgmt_kind) -> PluginDescriptor.Abilities {
    var abilities: PluginDescriptor.Abilities = []
    let isBlocking = table.flags & UInt32(MGMT_KIND_BLOCKING_WATCH) != 0
    if isBlocking || table.watch != nil { abilities.insert(.watch) }
    if table.update != nil { abilities.insert(.update) }
    if table.uids != nil { abilities.insert(.identities) }
    if table.auto_edges != nil { abilities.insert(.automaticEdges) }
    if table.group_cmp != nil, table.group != nil { abilities.insert(.grouping) }
    if table.reverse != nil { abilities.insert(.reverse) }
    return abilities
  }

  private func parameters(
    _ start: UnsafePointer<UnsafePointer<mgmt_param>?>?, _ count: Int, _ what: String
  ) throws(DescriptorProblem) -> [KindSchema.Parameter] {
    var parameters: [KindSchema.Parameter] = []
    for (position, pointer) in try array(start, count, atMost: DescriptorLimits.parameters, "\(what)s").enumerated() {
      parameters.append(
        try within("\(what) \(position + 1)") { () throws(DescriptorProblem) in try parameter(try present(pointer)) })
    }
    return parameters
  }

  private func parameter(_ source: UnsafeRawPointer) throws(DescriptorProblem) -> KindSchema.Parameter {
    try aligned(source)
    var table = mgmt_param()
    copyBounded(source, size: source.loadUnaligned(as: UInt32.self), to: &table)
    try size(table.size, reaches: MemoryLayout<mgmt_param>.offset(of: \.def))
    try DescriptorRules.flags(table.flags)
    let name = try text(table.name, DescriptorLimits.name, "its name")
    return try within(name.isEmpty ? "its name" : "\"\(name)\"") { () throws(DescriptorProblem) in
      try DescriptorRules.parameterName(name)
      let written = try text(table.type, DescriptorLimits.type, "its type")
      guard let type = ValueType(written) else {
        throw DescriptorProblem("its type \(Value.quote(written)) is not a type: str, int, []str, map{str: int}, ...")
      }
      var defaultValue = Value.unset
      if let pointer = table.def {
        defaultValue = try within("its default") { () throws(DescriptorProblem) in
          var budget = DescriptorLimits.values
          try aligned(UnsafeRawPointer(pointer))
          return try value(pointer.pointee, type, depth: 0, budget: &budget)
        }
      }
      var choices: [String] = []
      for choice in try array(table.choices, table.choice_count, atMost: DescriptorLimits.choices, "choices") {
        choices.append(try text(choice, DescriptorLimits.name, "a choice"))
      }
      return KindSchema.Parameter(
        name: name, type: type, documentation: try text(table.doc, DescriptorLimits.text, "its documentation"),
        defaultValue: defaultValue, isRequired: table.flags & UInt32(MGMT_PARAM_REQUIRED) != 0,
        isSecret: table.flags & UInt32(MGMT_PARAM_SECRET) != 0, isName: table.flags & UInt32(MGMT_PARAM_NAME) != 0,
        isIdentity: table.flags & UInt32(MGMT_PARAM_IDENTITY) != 0, choices: choices)
    }
  }

  private func functions(_ table: mgmt_plugin) throws(DescriptorProblem) -> [PluginDescriptor.Function] {
    var functions: [PluginDescriptor.Function] = []
    let pointers = try array(table.funcs, table.func_count, atMost: DescriptorLimits.functions, "functions")
    for (position, pointer) in pointers.enumerated() {
      functions.append(
        try within("function \(position + 1)") { () throws(DescriptorProblem) in try function(try present(pointer)) })
    }
    return functions
  }

  private func function(_ source: UnsafeRawPointer) throws(DescriptorProblem) -> PluginDescriptor.Function {
    try aligned(source)
    var table = mgmt_func()
    copyBounded(source, size: source.loadUnaligned(as: UInt32.self), to: &table)
    try size(table.size, reaches: MemoryLayout<mgmt_func>.size)
    try DescriptorRules.flags(table.flags)
    guard table.fn != nil else { throw DescriptorProblem("its function pointer is NULL") }
    let signature = try text(table.signature, DescriptorLimits.type, "its signature")
    guard let (arguments, result) = FunctionSignature.parse(signature) else {
      throw DescriptorProblem("its signature \(Value.quote(signature)) is not one: func(float, int) str")
    }
    return PluginDescriptor.Function(
      name: try text(table.name, DescriptorLimits.name, "its name"),
      documentation: try text(table.doc, DescriptorLimits.text, "its documentation"), arguments: arguments, result: result)
  }
}

// MARK: Foreign memory

extension DescriptorReader {
  private func aligned(_ pointer: UnsafeRawPointer) throws(DescriptorProblem) {
    guard UInt(bitPattern: pointer).isMultiple(of: 8) else { throw DescriptorProblem("its address is not aligned") }
  }

  private func present<T>(_ pointer: UnsafePointer<T>?) throws(DescriptorProblem) -> UnsafeRawPointer {
    guard let pointer else { throw DescriptorProblem("its pointer is NULL") }
    return UnsafeRawPointer(pointer)
  }

  /// Structs may be shorter than the host knows them, but not than what version 1.0 needs.
  private func size(_ size: UInt32, reaches end: Int?) throws(DescriptorProblem) {
    guard let end, Int(size) >= end else { throw DescriptorProblem("its size field says \(size): it is not filled in") }
  }

  private func array<T>(
    _ start: UnsafePointer<T>?, _ count: Int, atMost limit: Int, _ what: String
  ) throws(DescriptorProblem) -> UnsafeBufferPointer<T> {
    // A size_t above Int.max arrives negative.
    guard count >= 0, count <= limit else {
      throw DescriptorProblem("\(UInt(bitPattern: count)) \(what): at most \(limit) are allowed")
    }
    guard count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
    guard let start else { throw DescriptorProblem("\(count) \(what) at NULL") }
    try aligned(UnsafeRawPointer(start))
    return UnsafeBufferPointer(start: start, count: count)
  }

  private func text(_ text: mgmt_str, _ limit: Int, _ what: String) throws(DescriptorProblem) -> String {
    guard text.len != 0 else { return "" }
    guard text.len > 0, text.len <= limit else {
      throw DescriptorProblem("\(what) is \(UInt(bitPattern: text.len)) bytes long: at most \(limit) are allowed")
    }
    guard let start = text.ptr else { throw DescriptorProblem("\(what) is \(text.len) bytes at NULL") }
    let bytes = UnsafeRawBufferPointer(start: start, count: text.len)
    guard let copy = String(validating: bytes, as: UTF8.self) else { throw DescriptorProblem("\(what) is not UTF-8") }
    return copy
  }

  private func value(
    _ foreign: mgmt_value, _ type: ValueType, depth: Int, budget: inout Int
  ) throws(DescriptorProblem) -> Value {
    budget -= 1
    guard depth <= DescriptorLimits.valueDepth, budget >= 0 else { throw DescriptorProblem("it is too large") }
    try DescriptorRules.flags(foreign.flags)
    switch Int(foreign.type) {
    case MGMT_UNSET: return .unset
    case MGMT_BOOL: return .bool(foreign.u.i != 0)
    case MGMT_INT: return .int(foreign.u.i)
    case MGMT_FLOAT: return .float(foreign.u.f)
    case MGMT_STRING: return .string(try text(foreign.u.s, DescriptorLimits.text, "a text"))
    case MGMT_LIST, MGMT_MAP, MGMT_STRUCT: break
    default: throw DescriptorProblem("a value has the unknown type \(foreign.type)")
    }
    let items = try array(foreign.u.v.at, foreign.u.v.count, atMost: budget, "values")
    switch (Int(foreign.type), type.containing(foreign.type)) {
    case (MGMT_LIST, .list(let item)):
      var list: [Value] = []
      for foreign in items { list.append(try value(foreign, item, depth: depth + 1, budget: &budget)) }
      return .list(list)
    case (MGMT_MAP, .map(let key, let item)) where items.count.isMultiple(of: 2):
      var entries: [Value.Entry] = []
      for position in stride(from: 0, to: items.count, by: 2) {
        let key = try value(items[position], key, depth: depth + 1, budget: &budget)
        entries.append(.init(key: key, value: try value(items[position + 1], item, depth: depth + 1, budget: &budget)))
      }
      return .map(entries)
    case (MGMT_STRUCT, .structure(let types)) where types.count == items.count:
      var fields: [Value.Field] = []
      for (foreign, field) in zip(items, types) {
        fields.append(.init(name: field.name, value: try value(foreign, field.type, depth: depth + 1, budget: &budget)))
      }
      return .structure(fields)
    default: throw DescriptorProblem("it is not of the type \(type)")
    }
  }
}

extension ValueType {
  /// Of what type a list or map is where every value fits. Structs need a type for the names of their fields.
  fileprivate func containing(_ type: UInt32) -> ValueType {
    guard self == .any else { return self }
    return switch Int(type) {
    case MGMT_LIST: .list(.any)
    case MGMT_MAP: .map(key: .any, value: .any)
    default: self
    }
  }
}

/// `func(float, int) str`: the types between the brackets may carry names, which do not count.
enum FunctionSignature {
  static func parse(_ text: String) -> (arguments: [ValueType], result: ValueType)? {
    guard text.hasPrefix("func("), let close = text.lastIndex(of: ")") else { return nil }
    let list = text[text.index(text.startIndex, offsetBy: 5)..<close]
    guard let result = ValueType(String(text[text.index(after: close)...])) else { return nil }
    guard list.contains(where: { $0 != " " }) else { return ([], result) }
    var arguments: [ValueType] = []
    for argument in list.split(separator: ",", omittingEmptySubsequences: false) {
      guard let word = argument.split(separator: " ").last, let type = ValueType(String(word)) else { return nil }
      arguments.append(type)
    }
    return (arguments, result)
  }
}
