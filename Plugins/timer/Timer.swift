// SPDX-License-Identifier: Apache-2.0

public import PluginABI
import PluginKit

private enum Key: Int {
  case interval
}

/// Seconds; about 31 years. More would not fit the clock's nanoseconds.
private let longest: Int64 = 1_000_000_000

/// `timer`: an event at fixed intervals.
final class TimerKind: ResourceKind {
  static let description = KindDescription(
    name: "timer",
    documentation: """
      Ticks: each interval is an event, on which the timer is checked. It is always as asked, so what comes after it waits for its \
      first check and is not checked again at its ticks. To run a command at intervals, use `pollint` of `exec`; to look at any resource \
      at intervals, the meta parameter `poll`.

      ## Example

      Whenever the file is put right, the hour begins anew, and the message is printed.

      ```yaml
      graph: timer
      resources:
        file:
        - name: /tmp/mgmt-timer
          content: "a\\n"
        timer:
        - name: hour
          interval: 3600
        print:
        - name: again
          msg: the hour begins anew
          refresh_only: true
      edges:
      - from: {kind: file, name: /tmp/mgmt-timer}
        to: {kind: timer, name: hour}
        notify: true
      - from: {kind: timer, name: hour}
        to: {kind: print, name: again}
        notify: true
      ```

      ## Notifications

      A notification starts the interval anew. That counts as a change, so those after it are notified.

      ## Convergence

      A tick finds nothing to do, so a timer does not keep a graph from converging.
      """,
    parameters: [
      Parameter(
        "interval", "int", default: .int(0), "Seconds between two ticks: 1 to 1000000000 (31 years). It has to be given.")
    ],
    flags: [.nonblocking, .refresh])

  let host: Host

  init(host: Host) throws(Failure) {
    self.host = host
  }

  static func validate(name: String, parameters: Parameters) throws(Failure) {
    let interval = parameters.int(Key.interval) ?? 0
    guard interval > 0 else {
      throw Failure(
        "\(interval) is not a number of seconds to wait", field: "interval", hint: "set interval to 1 or more")
    }
    guard interval <= longest else {
      throw Failure("\(interval) seconds are too many", field: "interval", hint: "set it to \(longest) (31 years) or less")
    }
  }

  func make(_ handle: ResourceHandle, name: String, parameters: Parameters) throws(Failure) -> Resource {
    try Self.validate(name: name, parameters: parameters)
    return Ticker(handle, host: host, milliseconds: UInt64(clamping: parameters.int(Key.interval) ?? 0) * 1000)
  }
}

private final class Ticker: Resource {
  private let host: Host
  private let milliseconds: UInt64
  private var timer: Source?

  init(_ handle: ResourceHandle, host: Host, milliseconds: UInt64) {
    self.host = host
    self.milliseconds = milliseconds
    super.init(handle)
  }

  override func watch() throws(Failure) {
    try start()
    handle.ready()
  }

  override func unwatch() {
    timer?.delete()
    timer = nil
  }

  private func start() throws(Failure) {
    timer?.delete()
    timer = nil
    timer = try host.addTimer(first: milliseconds, every: milliseconds) { [handle] in handle.event() }
  }

  override func checkApply(_ call: Call, _ flags: CheckFlags) throws(Failure) -> CheckResult {
    guard flags.contains(.refresh) else { return .ok }
    call.change("interval", was: .unset, will: .string("started anew"))
    guard flags.contains(.apply) else { return .differs }
    // Without a watch there is nothing that ticks.
    if timer != nil { try start() }
    return .changed
  }
}

let plugin = Plugin(name: "timer", version: "1.0.0", documentation: "Events at fixed intervals.", kinds: [TimerKind.self])

@c(mgmt_plugin_v1)
public func mgmtPlugin() -> UnsafePointer<mgmt_plugin>? { plugin.descriptor }
