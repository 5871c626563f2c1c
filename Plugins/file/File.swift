// SPDX-License-Identifier: Apache-2.0

public import PluginABI
import PluginKit

let plugin = Plugin(
  name: "file", version: "1.0.0",
  documentation: "Files, directories and symbolic links: their presence, contents, owner, mode and label.",
  kinds: [FileKind.self])

@c(mgmt_plugin_v1)
public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
