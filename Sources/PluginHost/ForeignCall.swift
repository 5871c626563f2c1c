// SPDX-License-Identifier: Apache-2.0

import ReactorShims

/// Says of each thread which plugin's code it runs, and for which resource, so that who ends the program is known by name. It costs a few
/// nanoseconds a call.
enum ForeignCall {
  /// `plugin`: lives as long as the call. `kind` and `name`: of the resource; empty when it is about none, `kind` alone when it is about all of
  /// a kind.
  static func run<Result>(
    _ plugin: UnsafePointer<CChar>, _ method: StaticString, kind: String = "", name: String = "", _ body: () -> Result
  ) -> Result {
    var (kind, name) = (kind, name)
    return kind.withUTF8 { kind in
      name.withUTF8 { name in
        kind.withMemoryRebound(to: CChar.self) { kind in
          name.withMemoryRebound(to: CChar.self) { name in
            method.withUTF8Buffer { method in
              method.withMemoryRebound(to: CChar.self) { method in
                var call = shim_foreign_call(
                  plugin: plugin, method: method.baseAddress, kind: kind.baseAddress, kind_length: kind.count,
                  name: name.baseAddress, name_length: name.count, before: nil)
                return withUnsafeMutablePointer(to: &call) { call in
                  shim_enter_foreign(call)
                  defer { shim_leave_foreign(call) }
                  return body()
                }
              }
            }
          }
        }
      }
    }
  }

  /// What this thread runs; nil: nothing of a plugin, as far as is known.
  static var current: (plugin: String, method: String, resource: String)? {
    guard let call = shim_current_foreign()?.pointee, let plugin = call.plugin, let method = call.method else { return nil }
    func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
      String(decoding: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count), as: UTF8.self)
    }
    let (kind, name) = (text(call.kind, call.kind_length), text(call.name, call.name_length))
    let resource = kind.isEmpty || name.isEmpty ? kind + name : "\(kind)[\(name)]"
    return (String(cString: plugin), String(cString: method), resource)
  }
}
