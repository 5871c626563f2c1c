// SPDX-License-Identifier: Apache-2.0

import PluginKit
import Testing

@testable import SvcPlugin

/// What happens to a check, in the order it happens.
enum Step {
  case read(UnitReading)
  case files(Bool)
  case reloaded
  case queued(String)
  case ended(String)
  case gone
  case failed(String)
  case returned
  case staysAway
  case cancel
  case explained
}

extension CheckMachine {
  mutating func take(_ step: Step) -> Action? {
    switch step {
    case .read(let reading): read(reading)
    case .files(let anything): filesChanged(anything: anything)
    case .reloaded: reloaded()
    case .queued(let job): jobQueued(job)
    case .ended(let result): jobEnded(result: result)
    case .gone: jobIsGone()
    case .failed(let name): failed("it", BusError(name: name, message: ""))
    case .returned: managerReturned()
    case .staysAway: managerStaysAway()
    case .cancel: cancel()
    case .explained: explained()
    }
  }
}

extension UnitReading {
  static func of(
    _ active: String, load: String = "loaded", file: String? = nil, job: String? = nil, needsReload: Bool = false
  ) -> UnitReading {
    UnitReading(
      id: "demo.service", path: "/demo", loadState: load, activeState: active, subState: active,
      job: job.map { Job(path: "/job/other", type: $0) }, fileState: file, fileName: "demo.service", needsReload: needsReload)
  }
}

private typealias Action = CheckMachine.Action
private let up = UnitReading.of("active")
private let down = UnitReading.of("inactive")
private let job = "/job/7"
private let nobody = "org.freedesktop.DBus.Error.NameHasNoOwner"
private let lost = "org.freedesktop.DBus.Error.NoReply"
private let destructive = "org.freedesktop.systemd1.TransactionIsDestructive"

/// One row: what is asked, and what happens with what is to be done about it.
struct Walk: CustomTestStringConvertible {
  var name: String
  var state: SvcSettings.State?
  var startup: SvcSettings.Startup?
  var refresh = false
  var apply = true
  var steps: [(Step, CheckMachine.Action?)]
  /// "path was -> will"
  var changes: [String] = []

  var testDescription: String { name }
}

@Suite struct CheckMachineTests {
  private static let stay: [Walk] = [
    Walk(name: "as asked", state: .running, steps: [(.read(up), .finish(.ok))]),
    Walk(name: "reloading is running", state: .running, steps: [(.read(.of("reloading")), .finish(.ok))]),
    Walk(name: "failed is stopped", state: .stopped, steps: [(.read(.of("failed")), .finish(.ok))]),
    Walk(name: "nothing asked", steps: [(.read(down), .finish(.ok))]),
    Walk(name: "enabled", startup: .enabled, steps: [(.read(.of("inactive", file: "enabled")), .finish(.ok))]),
    Walk(name: "masked and stopped", state: .stopped, steps: [(.read(.of("inactive", load: "masked")), .finish(.ok))]),
    Walk(name: "refresh of what does not run", refresh: true, steps: [(.read(down), .finish(.ok))]),
    Walk(
      name: "refresh of what is stopped", state: .stopped, refresh: true,
      steps: [
        (.read(up), .queue(.stop)), (.queued(job), .wait(job: job)), (.ended("done"), .read), (.read(down), .finish(.changed)),
      ],
      changes: ["state running -> stopped"]),
  ]

  private static let jobs: [Walk] = [
    Walk(
      name: "start", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)), (.ended("done"), .read), (.read(up), .finish(.changed)),
      ],
      changes: ["state stopped -> running"]),
    Walk(
      name: "start swallows the refresh", state: .running, refresh: true,
      steps: [
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)), (.ended("done"), .read), (.read(up), .finish(.changed)),
      ],
      changes: ["state stopped -> running"]),
    Walk(
      name: "refresh", state: .running, refresh: true,
      steps: [
        (.read(up), .queue(.refresh)), (.queued(job), .wait(job: job)), (.ended("done"), .read), (.read(up), .finish(.changed)),
      ],
      changes: ["state running -> reloaded or restarted"]),
    Walk(
      name: "it does not stay", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)), (.ended("done"), .read),
        (.read(.of("failed")), .explain(.stateStayed(.start, "failed"))),
        (.explained, .finish(.failed(.stateStayed(.start, "failed")))),
      ], changes: ["state stopped -> running"]),
    Walk(
      name: "refresh killed it", state: .running, refresh: true,
      steps: [
        (.read(up), .queue(.refresh)), (.queued(job), .wait(job: job)), (.ended("done"), .read),
        (.read(.of("failed")), .explain(.stateStayed(.refresh, "failed"))),
      ], changes: ["state running -> reloaded or restarted"]),
    Walk(
      name: "its files changed", state: .running,
      steps: [
        (.read(.of("inactive", needsReload: true)), .reloadDaemon), (.reloaded, .read),
        (.read(.of("inactive", needsReload: true)), .queue(.start)), (.queued(job), .wait(job: job)),
      ], changes: ["state stopped -> running"]),
    Walk(
      name: "its files changed and it runs", state: .running, steps: [(.read(.of("active", needsReload: true)), .finish(.ok))]),
    Walk(
      name: "somebody stops it", state: .running,
      steps: [
        (.read(.of("deactivating", job: "stop")), .wait(job: "/job/other")), (.ended("done"), .read),
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)),
      ], changes: ["state stopped -> running"]),
    Walk(
      name: "somebody starts it", state: .running,
      steps: [(.read(.of("activating", job: "start")), .queue(.start)), (.queued("/job/other"), .wait(job: "/job/other"))],
      changes: ["state activating -> running"]),
    Walk(
      name: "somebody starts what is to be stopped", state: .stopped,
      steps: [
        (.read(.of("activating", job: "start")), .wait(job: "/job/other")), (.ended("failed"), .read),
        (.read(down), .finish(.ok)),
      ]),
    Walk(
      name: "an opposite job came between", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.failed(destructive), .read), (.read(down), .queue(.start)),
        (.queued(job), .wait(job: job)),
      ],
      changes: ["state stopped -> running"]),
    Walk(
      name: "an opposite job came between, and somebody did it", state: .running,
      steps: [(.read(down), .queue(.start)), (.failed(destructive), .read), (.read(up), .finish(.ok))]),
    Walk(
      name: "nobody told of the end", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)), (.gone, .read), (.gone, nil),
        (.read(up), .finish(.changed)),
      ],
      changes: ["state stopped -> running"]),
    Walk(
      name: "nobody told of the end, and it does not run", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)), (.gone, .read),
        (.read(down), .explain(.stateStayed(.start, "inactive"))),
      ],
      changes: ["state stopped -> running"]),
    Walk(
      name: "nobody told of the end of somebody else's", state: .running,
      steps: [
        (.read(.of("deactivating", job: "stop")), .wait(job: "/job/other")), (.gone, .read), (.read(down), .queue(.start)),
      ]),
    Walk(
      name: "systemd was started anew", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)), (.returned, .read), (.ended("done"), nil),
        (.read(up), .finish(.changed)),
      ], changes: ["state stopped -> running"]),
  ]

  private static let absence: [Walk] = [
    Walk(
      name: "systemd comes", state: .running, steps: [(.failed(nobody), .await), (.returned, .read), (.read(up), .finish(.ok))]),
    Walk(
      name: "systemd does not come", state: .running,
      steps: [(.failed(nobody), .await), (.staysAway, .explain(.bus("it", BusError(name: nobody, message: ""))))]),
    Walk(
      name: "the bus is lost while it starts", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)), (.failed(lost), .await), (.ended("done"), nil),
        (.returned, .read), (.read(down), .queue(.start)),
      ], changes: ["state stopped -> running"]),
    Walk(
      name: "it returns meanwhile", state: .running, steps: [(.returned, .read), (.staysAway, nil), (.read(up), .finish(.ok))]),
    Walk(
      name: "systemd goes while it reads its files anew", startup: .enabled,
      steps: [
        (.read(.of("inactive", file: "disabled")), .changeFiles(.enable, name: "demo.service")), (.files(true), .reloadDaemon),
        (.failed(lost), .await), (.returned, .read), (.reloaded, nil),
        (.read(.of("inactive", file: "enabled")), .finish(.changed)),
      ], changes: ["startup disabled -> enabled"]),
    Walk(
      name: "it is too late to return", state: .running,
      steps: [(.read(.of("inactive", load: "masked")), .explain(.masked)), (.returned, nil)]),
  ]

  private static let startup: [Walk] = [
    Walk(
      name: "enable", startup: .enabled,
      steps: [
        (.read(.of("inactive", file: "disabled")), .changeFiles(.enable, name: "demo.service")), (.files(true), .reloadDaemon),
        (.reloaded, .read), (.read(.of("inactive", file: "enabled")), .finish(.changed)),
      ], changes: ["startup disabled -> enabled"]),
    Walk(
      name: "enable and start", state: .running, startup: .enabled,
      steps: [
        (.read(.of("inactive", file: "disabled")), .changeFiles(.enable, name: "demo.service")), (.files(true), .reloadDaemon),
        (.reloaded, .read), (.read(.of("inactive", file: "enabled")), .queue(.start)), (.queued(job), .wait(job: job)),
        (.ended("done"), .read), (.read(.of("active", file: "enabled")), .finish(.changed)),
      ], changes: ["startup disabled -> enabled", "state stopped -> running"]),
    Walk(
      name: "disable what is below /run", startup: .disabled,
      steps: [(.read(.of("inactive", file: "enabled-runtime")), .changeFiles(.disable(runtime: true), name: "demo.service"))],
      changes: ["startup enabled-runtime -> disabled"]),
    Walk(
      name: "enabling changes nothing", startup: .enabled,
      steps: [
        (.read(.of("inactive", file: "linked")), .changeFiles(.enable, name: "demo.service")), (.files(false), .read),
        (.read(.of("inactive", file: "linked")), .explain(.startupStayed("linked"))),
      ], changes: ["startup linked -> enabled"]),
  ]

  private static let looks: [Walk] = [
    Walk(
      name: "noop: start", state: .running, apply: false, steps: [(.read(down), .finish(.differs))],
      changes: ["state stopped -> running"]),
    Walk(
      name: "noop: both", state: .stopped, startup: .disabled, apply: false,
      steps: [(.read(.of("active", file: "enabled")), .finish(.differs))],
      changes: ["startup enabled -> disabled", "state running -> stopped"]),
    Walk(
      name: "noop: refresh", state: .running, refresh: true, apply: false, steps: [(.read(up), .finish(.differs))],
      changes: ["state running -> reloaded or restarted"]),
    Walk(
      name: "noop: a job is under way", state: .running, apply: false,
      steps: [(.read(.of("deactivating", job: "stop")), .finish(.differs))],
      changes: ["state deactivating -> running"]),
  ]

  private static let failures: [Walk] = [
    Walk(name: "not found", state: .running, steps: [(.read(.of("inactive", load: "not-found")), .explain(.notFound))]),
    Walk(
      name: "not found, to be stopped", state: .stopped,
      steps: [(.read(.of("inactive", load: "not-found")), .explain(.notFound))]),
    Walk(
      name: "its file is gone, it still runs", state: .stopped,
      steps: [(.read(.of("active", load: "not-found")), .queue(.stop)), (.queued(job), .wait(job: job))],
      changes: ["state running -> stopped"]),
    Walk(
      name: "masked, until its file is read anew", state: .running,
      steps: [
        (.read(.of("inactive", load: "masked", needsReload: true)), .reloadDaemon), (.reloaded, .read),
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)),
      ], changes: ["state stopped -> running"]),
    Walk(
      name: "it is gone when it is stopped", state: .stopped,
      steps: [
        (.read(up), .queue(.stop)), (.queued(job), .wait(job: job)), (.ended("done"), .read),
        (.read(.of("inactive", load: "not-found")), .finish(.changed)),
      ], changes: ["state running -> stopped"]),
    Walk(name: "masked", state: .running, steps: [(.read(.of("inactive", load: "masked")), .explain(.masked))]),
    Walk(
      name: "bad setting", state: .running,
      steps: [(.read(.of("inactive", load: "bad-setting")), .explain(.unusable("bad-setting")))]),
    Walk(name: "bad setting, runs", state: .running, steps: [(.read(.of("active", load: "bad-setting")), .finish(.ok))]),
    Walk(
      name: "the job failed", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)),
        (.ended("failed"), .explain(.job(.start, result: "failed"))),
      ],
      changes: ["state stopped -> running"]),
    Walk(
      name: "no permission", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.failed("denied"), .explain(.bus("it", BusError(name: "denied", message: "")))),
      ], changes: ["state stopped -> running"]),
    Walk(
      name: "cancelled while it starts", state: .running,
      steps: [
        (.read(down), .queue(.start)), (.queued(job), .wait(job: job)), (.cancel, .finish(.cancelled)),
        (.ended("canceled"), nil),
      ],
      changes: ["state stopped -> running"]),
    Walk(
      name: "cancelled before the answer", state: .running,
      steps: [(.read(down), .queue(.start)), (.cancel, .finish(.cancelled)), (.queued(job), nil)],
      changes: ["state stopped -> running"]),
  ]

  @Test(arguments: stay + jobs + absence + startup + looks + failures)
  func walks(_ walk: Walk) throws {
    let settings = SvcSettings(unit: try unit("demo"), state: walk.state, startup: walk.startup)
    var machine = CheckMachine(settings, applies: walk.apply, refreshes: walk.refresh)
    #expect(machine.start() == .read)
    var changes: [String] = []
    for (number, (step, action)) in walk.steps.enumerated() {
      let found = machine.take(step)
      #expect(found == action, "step \(number)")
      changes += machine.takeChanges().map { "\($0.path) \($0.was) -> \($0.will)" }
    }
    #expect(changes == walk.changes)
  }

  @Test(arguments: [
    (SvcSettings.State.stopped, SvcSettings.Startup?.none, true), (.stopped, .disabled, true), (.stopped, .enabled, false),
    (.running, nil, false),
  ])
  func aUnitThatWasThereAndIsGone(state: SvcSettings.State, startup: SvcSettings.Startup?, isFine: Bool) throws {
    let settings = SvcSettings(unit: try unit("demo"), state: state, startup: startup)
    var machine = CheckMachine(settings, applies: true, refreshes: false, wasThere: true)
    _ = machine.start()
    #expect(machine.read(.of("inactive", load: "not-found")) == (isFine ? .finish(.ok) : .explain(.notFound)))
  }

  @Test func whetherItIsEnabledIsNotTold() throws {
    let settings = SvcSettings(unit: try unit("demo"), startup: .enabled)
    var machine = CheckMachine(settings, applies: true, refreshes: false)
    _ = machine.start()
    var reading = up
    let error = BusError(name: "org.freedesktop.DBus.Error.AccessDenied", message: "no")
    reading.fileStateError = error
    #expect(machine.read(reading) == .explain(.bus("systemd does not tell whether demo.service is enabled", error)))
  }

  @Test func onlyItsOwnJobIsCancelled() throws {
    let settings = SvcSettings(unit: try unit("demo"), state: .running)
    var own = CheckMachine(settings, applies: true, refreshes: false)
    _ = own.start()
    _ = own.read(down)
    _ = own.jobQueued(job)
    #expect(own.ownJob == CheckMachine.OwnJob(kind: .start, path: job))
    var other = CheckMachine(settings, applies: true, refreshes: false)
    _ = other.start()
    _ = other.read(.of("activating", job: "start"))
    _ = other.jobQueued("/job/other")
    #expect(other.ownJob == nil)
  }

  @Test func patienceWithOthersEnds() throws {
    let settings = SvcSettings(unit: try unit("demo"), state: .running)
    var machine = CheckMachine(settings, applies: true, refreshes: false)
    var action: CheckMachine.Action? = machine.start()
    for _ in 0..<20 {
      if action == .read { action = machine.read(.of("deactivating", job: "stop")) }
      if case .wait = action { action = machine.jobEnded(result: "done") }
    }
    #expect(action == .explain(.busy(UnitReading.Job(path: "/job/other", type: "stop"))))
  }
}
