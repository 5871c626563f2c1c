// SPDX-License-Identifier: Apache-2.0

@testable import FilePlugin
@testable import PluginTesting

extension KindUnderTest {
  convenience init() { self.init(FilePlugin.plugin.descriptor, "file") }

  static func validate(_ name: String, _ parameters: [String: TestValue]) -> TestFailure? {
    KindUnderTest().validate(name, parameters)
  }
}
