// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ExecPlugin

@Suite struct RunMachineTests {
  typealias Steps = RunMachine.Steps

  private let all = Steps(mtimes: true, creates: true, ifcmd: true, nifcmd: true, donecmd: true)

  @Test func withoutGuardsTheCommandRuns() {
    var machine = RunMachine(Steps())
    #expect(machine.start() == .run(.cmd))
    #expect(machine.ended(.exited(0)) == .finish(.ran))
    #expect(machine.isOver)
  }

  @Test func withoutApplyItStopsBeforeTheCommand() {
    var machine = RunMachine(Steps(apply: false))
    #expect(machine.start() == .finish(.wouldRun))
  }

  @Test func withoutItsNotificationNothingIsAsked() {
    for apply in [true, false] {
      var machine = RunMachine(
        Steps(lacksNotification: true, mtimes: true, creates: true, ifcmd: true, nifcmd: true, apply: apply))
      #expect(machine.start() == .finish(.heldBack))
    }
  }

  @Test func refreshonlyLacksANotificationUntilItComes() {
    var settings = ExecSettings()
    #expect(!Steps(settings, apply: true, isNotified: false).lacksNotification)
    settings.isRefreshOnly = true
    #expect(Steps(settings, apply: true, isNotified: false).lacksNotification)
    #expect(!Steps(settings, apply: true, isNotified: true).lacksNotification)
  }

  @Test func guardsRunWithoutApplyToo() {
    var machine = RunMachine(Steps(ifcmd: true, nifcmd: true, apply: false))
    #expect(machine.start() == .run(.ifcmd))
    #expect(machine.ended(.exited(0)) == .run(.nifcmd))
    #expect(machine.ended(.exited(1)) == .finish(.wouldRun))
  }

  @Test func theWholeWalk() {
    var machine = RunMachine(all)
    #expect(machine.start() == .compareTimes)
    #expect(machine.timesCompared(modified: false) == .checkCreates)
    #expect(machine.createsChecked(exists: false) == .run(.ifcmd))
    #expect(machine.ended(.exited(0)) == .run(.nifcmd))
    #expect(machine.ended(.exited(1)) == .run(.cmd))
    #expect(machine.ended(.exited(0)) == .run(.donecmd))
    #expect(machine.ended(.exited(0)) == .finish(.ran))
  }

  @Test func modifiedFilesJumpOverTheOtherGuards() {
    var machine = RunMachine(all)
    #expect(machine.start() == .compareTimes)
    #expect(machine.timesCompared(modified: true) == .run(.cmd))
  }

  @Test func unmodifiedFilesAloneHoldBack() {
    var machine = RunMachine(Steps(mtimes: true))
    #expect(machine.start() == .compareTimes)
    #expect(machine.timesCompared(modified: false) == .finish(.heldBack))
  }

  @Test func anExistingFileHoldsBack() {
    var machine = RunMachine(Steps(creates: true, ifcmd: true))
    #expect(machine.start() == .checkCreates)
    #expect(machine.createsChecked(exists: true) == .finish(.heldBack))
  }

  @Test(arguments: [1, 2, 127, 255] as [Int32])
  func anyOtherStatusOfIfcmdHoldsBack(status: Int32) {
    var machine = RunMachine(Steps(ifcmd: true))
    _ = machine.start()
    #expect(machine.ended(.exited(status)) == .finish(.heldBack))
  }

  @Test func equalOutputHoldsBack() {
    var machine = RunMachine(Steps(ifcmd: true))
    _ = machine.start()
    #expect(machine.ended(.exited(0), holdsBack: true) == .finish(.heldBack))
  }

  @Test func nifcmdHoldsBackWhenItSucceeds() {
    var machine = RunMachine(Steps(nifcmd: true))
    #expect(machine.start() == .run(.nifcmd))
    #expect(machine.ended(.exited(0)) == .finish(.heldBack))
  }

  @Test(arguments: [CommandEnd.signalled(9), .timedOut, .notStarted(2, "execute")])
  func aGuardThatGivesNoAnswerIsAFailure(end: CommandEnd) {
    for (steps, role) in [(Steps(ifcmd: true), RunMachine.Role.ifcmd), (Steps(nifcmd: true), .nifcmd)] {
      var machine = RunMachine(steps)
      _ = machine.start()
      #expect(machine.ended(end) == .finish(.failed(role, end)))
    }
  }

  @Test(arguments: [CommandEnd.exited(1), .signalled(15), .timedOut, .notStarted(13, "")])
  func aFailingCommandFails(end: CommandEnd) {
    var machine = RunMachine(Steps(donecmd: true))
    _ = machine.start()
    #expect(machine.ended(end) == .finish(.failed(.cmd, end)))
  }

  @Test func aFailingDonecmdFails() {
    var machine = RunMachine(Steps(donecmd: true))
    _ = machine.start()
    #expect(machine.ended(.exited(0)) == .run(.donecmd))
    #expect(machine.ended(.exited(3)) == .finish(.failed(.donecmd, .exited(3))))
  }

  @Test func cancelledBeforeTheStart() {
    var machine = RunMachine(all)
    machine.cancel()
    #expect(machine.start() == .finish(.cancelled))
  }

  @Test func cancelledWhileACommandRuns() {
    var machine = RunMachine(Steps(donecmd: true))
    _ = machine.start()
    machine.cancel()
    #expect(machine.ended(.exited(0)) == .finish(.cancelled))
  }

  @Test func cancelledBetweenTwoSteps() {
    var machine = RunMachine(Steps(creates: true))
    #expect(machine.start() == .checkCreates)
    machine.cancel()
    #expect(machine.createsChecked(exists: false) == .finish(.cancelled))
  }

  @Test func anAnswerNobodyAskedForEndsTheWalk() {
    var machine = RunMachine(Steps())
    _ = machine.start()
    #expect(machine.createsChecked(exists: false) == .finish(.cancelled))
    #expect(machine.ended(.exited(0)) == .finish(.cancelled))
  }
}
