// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// The parameters of `test`, in the order of its description.
enum TestKey: Int, CaseIterable {
  case bool, str
  case int, int8, int16, int32, int64
  case uint, uint8, uint16, uint32, uint64
  case byte, rune
  case float32, float64
  case boolptr, stringptr, int64ptr, int8ptr, uint8ptr, int8ptrptrptr
  case slicestring, mapintfloat, mixedstruct, interface
  case anotherstr
  case validatebool, validateerror
  case alwaysgroup, comparefail
  case sendvalue, expectrecv
  case onlyshow, waitforerror
  case comment
}

private func int(_ name: String, _ documentation: String) -> Parameter {
  Parameter(name, "int", default: .int(0), documentation)
}

private func text(_ name: String, _ documentation: String) -> Parameter {
  Parameter(name, "str", default: .string(""), documentation)
}

let testDescription = KindDescription(
  name: "test",
  documentation: """
    Has a parameter of every type and is always as asked: it logs the parameters that are set. For trying graphs, frontends \
    and the engine out: grouping, values sent and received, failures, reversal.

    ## Example

    The second receives what the first sends; its check would fail if it did not.

    ```yaml
    graph: test
    resources:
      test:
      - name: sender
        sendvalue: hello
      - name: receiver
        int8: -128
        mixedstruct: {somebool: true, somestr: a, someint: 1, somefloat: 0.5}
        expectrecv: [str, int]
        onlyshow: [str, int]
    edges:
    - from: {kind: test, name: sender}
      to: {kind: test, name: receiver}
      receive: {str: hello, int: answer}
    ```

    ## Notifications

    A notification is logged.

    ## Groups

    With `alwaysgroup` others may join.

    ## Reversal

    There is nothing on the machine to put back. The reversal is the resource itself, with `str` and `anotherstr` exchanged and a \
    `comment` that says what it is.
    """,
  parameters: [
    Parameter("bool", "bool", default: .bool(false), "A truth value."),
    text("str", "A string. In a reversal it has the value of `anotherstr`."),
    int("int", "A number of 64 bits."),
    int("int8", "-128 to 127."),
    int("int16", "-32768 to 32767."),
    int("int32", "-2147483648 to 2147483647."),
    int("int64", "A number of 64 bits."),
    int("uint", "0 to 9223372036854775807."),
    int("uint8", "0 to 255."),
    int("uint16", "0 to 65535."),
    int("uint32", "0 to 4294967295."),
    int("uint64", "0 to 9223372036854775807."),
    int("byte", "0 to 255."),
    int("rune", "A character's number: -2147483648 to 2147483647."),
    Parameter("float32", "float", default: .float(0), "A number that fits 32 bits."),
    Parameter("float64", "float", default: .float(0), "A number."),
    Parameter("boolptr", "bool", "A truth value that can be undefined."),
    Parameter("stringptr", "str", "A string that can be undefined."),
    Parameter("int64ptr", "int", "A number of 64 bits that can be undefined."),
    Parameter("int8ptr", "int", "-128 to 127, or undefined."),
    Parameter("uint8ptr", "int", "0 to 255, or undefined."),
    Parameter("int8ptrptrptr", "int", "-128 to 127, or undefined."),
    Parameter("slicestring", "[]str", default: .list([]), "A list."),
    Parameter("mapintfloat", "map{int: float}", default: .map([]), "A map."),
    Parameter("mixedstruct", "struct{somebool bool; somestr str; someint int; somefloat float}", "A struct."),
    Parameter("interface", "any", "A value of any type."),
    text("anotherstr", "Another string. In a reversal it has the value of `str`."),
    Parameter("validatebool", "bool", default: .bool(false), "True: the parameters are refused."),
    text("validateerror", "Not empty: the parameters are refused with this message."),
    Parameter("alwaysgroup", "bool", default: .bool(false), "Other tests may be grouped with this one."),
    Parameter(
      "comparefail", "bool", default: .bool(false), "Never the same as before: each new graph replaces the resource."),
    text("sendvalue", "What `hello` sends."),
    Parameter(
      "expectrecv", "[]str",
      "Parameters that must have received a value: the check fails when another number of them has."),
    Parameter("onlyshow", "[]str", default: .list([]), "Log only these parameters, set or not. Empty: all that are set."),
    int("waitforerror", "Milliseconds after which each check fails, 0 to 86400000; 0: it does not."),
    text("comment", "Free text."),
  ],
  sends: [
    Parameter("hello", "str", "The value of `sendvalue`."),
    Parameter("answer", "int", "42."),
  ],
  flags: [.nonblocking, .refresh], traits: [.grouping, .update, .reversal, .comparison])
