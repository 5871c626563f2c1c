// SPDX-License-Identifier: Apache-2.0

public import PluginABI
import PluginKit

private enum Key: Int {
  case msg, refreshOnly
}

/// `print`: logs a message.
final class PrintKind: ResourceKind {
  static let description = KindDescription(
    name: "print",
    documentation: """
      Logs a message when it differs from the last one this resource printed since the agent started, and when it is notified. \
      Each time counts as a change.

      ## Example

      What a command printed becomes the message.

      ```yaml
      graph: print
      resources:
        exec:
        - name: kernel
          cmd: /bin/uname -sr
        print:
        - name: kernel
        - name: hello
          msg: hello world
      edges:
      - from: {kind: exec, name: kernel}
        to: {kind: print, name: kernel}
        receive: {msg: stdout}
      ```

      ## Notifications

      A notification prints the message once more.

      ## Watching

      There is nothing to watch: what was printed stays printed. A message that is received is printed as soon as it differs from the last \
      one.

      ## Groups

      Prints can be grouped, unless one of them is `refresh_only`.
      """,
    parameters: [
      Parameter("msg", "str", default: .string(""), "The message. Further lines of it are logged as lines of their own."),
      Parameter("refresh_only", "bool", default: .bool(false), "Print only when notified; it is then never grouped."),
    ],
    flags: [.nonblocking, .refresh], traits: [.grouping, .update])

  let printed = PrintedMessages()

  init(host: Host) throws(Failure) {}

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    Print(handle, name: name, parameters: parameters, printed: printed)
  }
}

/// One `print`, and those it leads.
///
/// Nothing to watch: what was printed stays printed. Printing is no event either: all it could bring is another check, which
/// finds the message printed.
private final class Print: Resource {
  private let name: String
  private let printed: PrintedMessages
  private var message: String
  private var refreshOnly: Bool
  private var members: [Print] = []

  init(_ handle: ResourceHandle, name: String, parameters: Parameters, printed: PrintedMessages) {
    self.name = name
    self.printed = printed
    message = parameters.string(Key.msg) ?? ""
    refreshOnly = parameters.bool(Key.refreshOnly)
    printed.appeared(name)
    super.init(handle)
  }

  override func close() {
    members = []
    printed.disappeared(name)
  }

  override func update(_ parameters: Parameters, changed: ChangedParameters) throws(Failure) -> UpdateResult {
    message = parameters.string(Key.msg) ?? ""
    refreshOnly = parameters.bool(Key.refreshOnly)
    return .updated
  }

  override func mayGroup(_ member: Resource) -> Bool {
    guard let member = member as? Print else { return false }
    return !refreshOnly && !member.refreshOnly
  }

  override func group(_ member: Resource) throws(Failure) {
    guard let member = member as? Print else { throw Failure("only prints can be grouped with a print") }
    members.append(member)
  }

  override func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult {
    let due = ([self] + members).filter { $0.isDue(flags) }
    if due.isEmpty { return .ok }
    for print in due {
      let last = printed.last(print.name).flatMap { $0 == print.message ? nil : Value.string($0) }
      call.change(print === self ? "msg" : "print[\(print.name)]#msg", was: last ?? .unset, will: .string(print.message))
    }
    guard flags.contains(.apply) else { return .differs }
    for print in due { print.log() }
    return .changed
  }

  private func isDue(_ flags: CheckFlags) -> Bool {
    flags.contains(.refresh) || !refreshOnly && printed.last(name) != message
  }

  private func log() {
    let text = message.hasSuffix("\n") ? message.dropLast() : message[...]
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      handle.log(.info, number == 0 ? "Msg: \(line)" : String(line))
    }
    printed.record(message, for: name)
  }
}

let plugin = Plugin(
  name: "print", version: "1.0.0", documentation: "Logs messages.", kinds: [PrintKind.self])

@c(mgmt_plugin_v1)
public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
