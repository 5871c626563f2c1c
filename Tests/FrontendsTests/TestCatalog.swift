// SPDX-License-Identifier: Apache-2.0

import Values

/// Some kinds without plugins.
final class TestCatalog: KindCatalog {
  private let schemas: [String: KindSchema]

  init() {
    func parameter(_ name: String, _ type: String, _ value: Value = .unset, choices: [String] = []) -> KindSchema.Parameter {
      .init(name: name, type: ValueType(type) ?? .any, defaultValue: value, choices: choices)
    }
    let kinds = [
      KindSchema(name: "noop", parameters: [parameter("comment", "str", .string(""))]),
      KindSchema(
        name: "file",
        parameters: [
          .init(name: "path", type: .string, isRequired: true, isName: true),
          parameter("state", "str", .string(""), choices: ["exists", "absent"]), parameter("content", "str"),
          parameter("fragments", "[]str", .list([])), parameter("mode", "str", .string("")),
          parameter("recurse", "bool", .bool(false)),
        ]),
      KindSchema(
        name: "test",
        parameters: [
          .init(name: "int", type: .int, isRequired: true), parameter("float", "float"), parameter("bool", "bool"),
          parameter("map", "map{str: int}"), parameter("numbers", "map{int: str}"), parameter("any", "any"),
          parameter("struct", "struct{a int; b []bool}"), parameter("sets", "[]struct{path str; value str}"),
          .init(name: "password", type: .string, isSecret: true, choices: ["one", "two"]),
          .init(name: "keys", type: .list(.string), isSecret: true),
        ], sends: [parameter("hello", "str"), parameter("answer", "int"), parameter("anything", "any")]),
      KindSchema(
        name: "exec",
        parameters: [parameter("cmd", "str"), parameter("shell", "str", .string("")), parameter("creates", "str")],
        sends: [parameter("output", "str"), parameter("stdout", "str"), parameter("stderr", "str")]),
      KindSchema(name: "print", parameters: [parameter("msg", "str", .string(""))]),
    ]
    schemas = Dictionary(uniqueKeysWithValues: kinds.map { ($0.name, $0) })
  }

  func schema(of kind: String) -> KindSchema? { schemas[kind] }

  var kindNames: [String] { schemas.keys.sorted() }
}
