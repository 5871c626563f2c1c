// SPDX-License-Identifier: Apache-2.0

/// What one command writes, by stream and as one text in the order it arrived, and what of it is logged.
struct CommandStreams: Sendable {
  private(set) var output = BoundedOutput()
  private(set) var stdout = BoundedOutput()
  private(set) var stderr = BoundedOutput()
  private var log = OutputLog()

  /// `fd`: 1 or 2. `line` gets what belongs into the log.
  mutating func append(_ fd: Int32, _ bytes: UnsafeBufferPointer<UInt8>, _ line: (String) -> Void) {
    output.append(bytes)
    if fd == 2 { stderr.append(bytes) } else { stdout.append(bytes) }
    log.append(fd, bytes, line)
  }

  /// Both streams are over.
  mutating func finish(_ line: (String) -> Void) {
    log.finish(line)
  }

  var text: CapturedText {
    CapturedText(output: output.text, stdout: stdout.text, stderr: stderr.text)
  }
}

extension ExecSettings {
  /// Whether what `ifcmd` wrote keeps `cmd` from running.
  func holdsBack(_ streams: CommandStreams) -> Bool {
    ifequals.map(streams.output.equals) == true || ifequalsStdout.map(streams.stdout.equals) == true
  }

  /// The command behind a step.
  func spec(of role: RunMachine.Role) -> CommandSpec {
    switch role {
    case .cmd: cmd
    case .ifcmd: ifcmd ?? cmd
    case .nifcmd: nifcmd ?? cmd
    case .donecmd: donecmd ?? cmd
    }
  }
}

extension CommandSpec {
  /// For a person: what is run, on as few lines as it was written in.
  var shownText: String {
    ([text] + arguments).joined(separator: " ")
  }
}
