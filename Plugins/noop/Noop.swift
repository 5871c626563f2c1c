// SPDX-License-Identifier: Apache-2.0

public import PluginABI
import PluginKit

private enum Key: Int {
  case comment
}

/// `noop`: a resource that is always as asked. It stands in for others in graphs and tests.
final class NoopKind: ResourceKind {
  static let description = KindDescription(
    name: "noop",
    documentation: """
      Does nothing and is always as asked. Useful as a common point of many edges, and to try graphs out.

      ## Example

      What comes after `ready` waits for both files.

      ```yaml
      graph: noop
      resources:
        file:
        - name: /tmp/mgmt-one
          state: exists
        - name: /tmp/mgmt-two
          state: exists
        noop:
        - name: ready
        print:
        - name: done
          msg: both files are there
      edges:
      - from: {kind: file, name: /tmp/mgmt-one}
        to: {kind: noop, name: ready}
      - from: {kind: file, name: /tmp/mgmt-two}
        to: {kind: noop, name: ready}
      - from: {kind: noop, name: ready}
        to: {kind: print, name: done}
      ```

      ## Notifications

      A notification is logged and goes no further: a noop never changes anything, so those after it are not notified.

      ## Groups

      Any noops can be grouped.
      """,
    parameters: [Parameter("comment", "str", default: .string(""), "Free text; a change of it makes a different resource.")],
    flags: [.nonblocking, .refresh], traits: [.grouping])

  init(host: Host) throws(Failure) {}

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    Noop(handle)
  }
}

private final class Noop: Resource {
  private var members: [ResourceHandle] = []

  override func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult {
    if flags.contains(.refresh) {
      for handle in [handle] + members { handle.log(.info, "received a notification") }
    }
    return .ok
  }

  override func mayGroup(_ member: Resource) -> Bool { true }

  override func group(_ member: Resource) throws(Failure) { members.append(member.handle) }
}

let plugin = Plugin(
  name: "noop", version: "1.0.0", documentation: "The resource that does nothing.", kinds: [NoopKind.self])

@c(mgmt_plugin_v1)
public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
