// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// The parameters of `svc`, in the order of its description.
enum SvcKey: Int {
  case state, startup, session
}

let svcDescription = KindDescription(
  name: "svc",
  documentation: """
    A unit of systemd: whether it runs and whether it starts with the system. The resource's name is the unit's: without a suffix \
    a service (`nginx` is `nginx.service`), units of other types by their full name (`backup.timer`, `getty@tty1.service`). What is not \
    given is left as it is.

    ## Example

    The unit would come after its file by itself; with `notify: true` a change of the file is applied, too: systemd reads it anew, and the \
    service reloads, or restarts. So it does when the settings change.

    ```yaml
    graph: svc
    resources:
      file:
      - name: /etc/systemd/system/mgmt-demo.service
        content: |
          [Unit]
          Description=A service that mgmt looks after

          [Service]
          ExecStart=/bin/sleep infinity

          [Install]
          WantedBy=multi-user.target
      - name: /etc/mgmt-demo.conf
        content: "answer = 42\\n"
      svc:
      - name: mgmt-demo
        state: running
        startup: enabled
    edges:
    - from: {kind: file, name: /etc/systemd/system/mgmt-demo.service}
      to: {kind: svc, name: mgmt-demo}
      notify: true
    - from: {kind: file, name: /etc/mgmt-demo.conf}
      to: {kind: svc, name: mgmt-demo}
      notify: true
    ```

    ## Names

    Of a template an instance is named: `getty@tty1`, never `getty@`. Units of paths have the name that `systemd-escape --path \
    --suffix=mount PATH` prints.

    ## Units that are gone

    A unit systemd does not know is an error, most often a wrong name. But one that was there when this resource looked before, and is gone, \
    is stopped: a transient unit vanishes when it is stopped, an ordinary one when its package is removed.

    ## Watching

    systemd tells over D-Bus what happens to the unit; one connection to each bus serves all resources. With `state` a unit that stops or \
    starts is put right at once; with `startup` one that is enabled or disabled. A unit file that comes or changes is noticed too. When \
    systemd or the bus is gone, the connection is made anew once it is back, and all is looked at again: at once when systemd or the \
    bus's socket comes, within 5 seconds when the socket was there all the time.

    ## Waiting

    A check that starts, stops, reloads or restarts the unit ends when systemd's job does, so it takes as long as the unit's own time-outs \
    let it, such as `TimeoutStartSec=`. Meta `timeout` gives it an end of its own: the job is cancelled then, unless it is a reload or \
    restart.

    ## Notifications

    A notification reloads the unit, or restarts it when it cannot reload. If it was just started or stopped, or does not run, nothing is \
    left to do.

    When the unit's file changed on disk, systemd reads its files anew (daemon-reload) before the unit is started, reloaded or restarted. A \
    unit that runs goes on as it was until then, unless the edge from the file has `notify: true`.

    ## Automatic edges

    A unit bears its full name (`svc`), which no other may have, and an instance its template's as well. It comes after its unit file, the first of those systemd would \
    take that is a resource, or else after the directory it may be in; and after each `file` in its drop-in directories: `NAME.d`, the \
    template's, those of its name up to a dash (`foo-.service.d` of `foo-bar`) and that of its type (`service.d`), wherever systemd looks for \
    them. A package that brings a unit of the system comes before it.

    ## Failures

    Each has systemd's own words and what to do, for jobs that fail the `journalctl` line to run. There is no such unit (with the nearest \
    names); it is masked; its file is invalid; it is static, generated or indirect, so `startup` cannot be had; the job failed, timed out, \
    was cancelled, or a unit it depends on failed; a oneshot service ended although `state` is `running`; there is no bus, no systemd on \
    it, or no permission.
    """,
  parameters: [
    Parameter(
      "state", "str", default: .string(""), choices: ["running", "stopped", ""],
      "`running`: the unit is active; `stopped`: it is not. Empty: left as it is."),
    Parameter(
      "startup", "str", default: .string(""), choices: ["enabled", "disabled", ""],
      """
      `enabled`: the links its [Install] section asks for are there, so that it starts with the system; `disabled`: they are not. \
      Empty: left as it is.
      """),
    Parameter(
      "session", "bool", default: .bool(false),
      "The unit belongs to the systemd of the agent's user, on the session bus, not to the system's."),
  ],
  flags: [.nonblocking, .refresh],
  traits: [.identities, .automaticEdges])

/// What is asked of one unit.
struct SvcSettings: Equatable, Sendable {
  enum State: String, Sendable {
    case running, stopped
  }

  enum Startup: String, Sendable {
    case enabled, disabled
  }

  var unit: UnitName
  /// nil: left as it is.
  var state: State?
  var startup: Startup?
  var isSession = false

  init(unit: UnitName, state: State? = nil, startup: Startup? = nil, isSession: Bool = false) {
    self.unit = unit
    self.state = state
    self.startup = startup
    self.isSession = isSession
  }

  init(name: String, parameters: Parameters) throws(Failure) {
    unit = try UnitName(name)
    state = try Self.choice(parameters.string(SvcKey.state), "state", ["running", "stopped"])
    startup = try Self.choice(parameters.string(SvcKey.startup), "startup", ["enabled", "disabled"])
    isSession = parameters.bool(SvcKey.session)
  }

  /// Values that are received were not compared with the choices.
  private static func choice<Choice: RawRepresentable<String>>(
    _ text: String?, _ field: String, _ choices: [String]
  ) throws(Failure) -> Choice? {
    guard let text, !text.isEmpty else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw Failure("\"\(text)\" is not a \(field)", field: field, hint: "write \(choices.joined(separator: " or "))")
    }
    return choice
  }
}
