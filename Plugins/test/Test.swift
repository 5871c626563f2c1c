// SPDX-License-Identifier: Apache-2.0

public import PluginABI
import PluginKit

/// `test`: a resource with a parameter of every type.
final class TestKind: ResourceKind {
  static let description = testDescription

  let host: Host

  init(host: Host) throws(Failure) {
    self.host = host
  }

  static func validate(name: String, parameters: Parameters) throws(Failure) {
    if parameters.bool(TestKey.validatebool) {
      throw Failure("validatebool is true", field: "validatebool", hint: "set it to false, or leave it out")
    }
    if let message = parameters.string(TestKey.validateerror), !message.isEmpty {
      throw Failure(message, field: "validateerror", hint: "leave validateerror out")
    }
    for key in TestKey.allCases { try key.checkRange(parameters[key]) }
    for (key, field) in [(TestKey.onlyshow, "onlyshow"), (.expectrecv, "expectrecv")] {
      for name in parameters.strings(key) where !testDescription.parameters.contains(where: { $0.name == name }) {
        throw Failure("there is no parameter \"\(name)\"", field: field, hint: "name parameters of test")
      }
    }
  }

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    TestResource(handle, host: host, name: name, values: TestValues(parameters))
  }
}

let plugin = Plugin(
  name: "test", version: "1.0.0",
  documentation: "A resource with a parameter of every type, to try graphs, frontends and the engine.", kinds: [TestKind.self])

@c(mgmt_plugin_v1)
public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
