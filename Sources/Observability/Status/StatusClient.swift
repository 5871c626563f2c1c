// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Glibc
import ObservabilityShims
import Reactor
import Values

/// Asks an agent how things stand. Blocks; for the `mgmt status` command.
public final class StatusClient {
  /// What one line of the answer says.
  public enum Line: Equatable {
    case resource
    /// The last of an answer.
    case agent(isAsAsked: Bool)
  }

  private let fd: Int32
  private let prefix: String
  private let isJSON: Bool
  private var input: [UInt8] = []
  /// Where the next line begins.
  private var start = 0

  private static let answerMilliseconds: Int32 = 5000
  private static let maximumLine = 1 << 24

  deinit { close(fd) }

  public init(prefix: String, request: StatusRequest) throws(MgmtError) {
    self.prefix = prefix
    isJSON = request.isJSON
    let directory = EngineDirectory.look(prefix: prefix)
    guard let directory else { throw Self.failure(prefix, errno) }
    fd = shim_unix_socket(Int32(SHIM_STREAM))
    guard fd >= 0 else { throw Self.failure(prefix, errno) }
    guard shim_unix_connect(fd, directory.shortPath(StatusServer.socketName)) == 0 else { throw Self.failure(prefix, errno) }
    let line = request.line
    guard line.withUnsafeBytes({ Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }) == line.count else {
      throw Self.failure(prefix, errno)
    }
  }

  /// The next line, with its end and without control characters; nil: the agent ended the connection. `isAnswer`: it must come soon;
  /// `output`: gives up, with nil, when nobody reads this any more.
  public func next(isAnswer: Bool, output: Int32) throws(MgmtError) -> (text: String, line: Line)? {
    var searched = start
    while true {
      if let end = input[searched...].firstIndex(of: 0x0a) {
        let text = String(decoding: input[start..<end], as: UTF8.self)
        start = end + 1
        // The agent of another user may say anything.
        return (Visible.line(text) + "\n", try judge(text))
      }
      input.removeFirst(start)
      start = 0
      searched = input.count
      guard input.count <= Self.maximumLine else { throw Self.unanswered(prefix, "what it says is not a status") }
      guard try fill(isAnswer: isAnswer, output: output) else { return nil }
    }
  }

  /// Reads what there is. False: nothing more comes.
  private func fill(isAnswer: Bool, output: Int32) throws(MgmtError) -> Bool {
    var places = [pollfd(fd: fd, events: Int16(POLLIN), revents: 0), pollfd(fd: output, events: 0, revents: 0)]
    let ready = poll(&places, 2, isAnswer ? Self.answerMilliseconds : -1)
    if ready == 0 { throw Self.unanswered(prefix, "no answer within \(Self.answerMilliseconds / 1000) s") }
    if ready < 0 {
      guard errno == EINTR else { throw Self.failure(prefix, errno) }
      return true
    }
    if places[1].revents & Int16(POLLERR | POLLNVAL) != 0 { return false }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(fd, &chunk, chunk.count)
    if count > 0 { input += chunk[..<count] }
    if count < 0, errno != EAGAIN, errno != EINTR { throw Self.failure(prefix, errno) }
    return count != 0
  }

  private func judge(_ text: String) throws(MgmtError) -> Line {
    if text.hasPrefix(StatusRequest.errorWord) {
      throw Self.unanswered(prefix, "it says: " + Visible.line(String(text.dropFirst(StatusRequest.errorWord.count))))
    }
    if isJSON {
      guard text.hasPrefix(JSONStatus.agentPrefix) else { return .resource }
      return .agent(isAsAsked: text.dropFirst(JSONStatus.agentPrefix.count).hasPrefix("true"))
    }
    guard text.hasPrefix(TextStatus.agentWord + " ") else { return .resource }
    return .agent(isAsAsked: text.hasSuffix(TextStatus.allAsAsked))
  }

  // MARK: Errors

  private static func failure(_ prefix: String, _ number: Int32) -> MgmtError {
    switch number {
    case ENOENT, ENOTDIR, ECONNREFUSED:
      MgmtError(
        Diagnostic(
          "status.none", "no agent runs with the prefix \(prefix)",
          hint: "start one with `mgmt run`, or say with --prefix which one is meant"))
    case EACCES, EPERM:
      MgmtError(
        Diagnostic(
          "status.permission", "the agent with the prefix \(prefix) cannot be asked", notes: [systemMessage(number)],
          hint: "ask as root, or as the user the agent runs as"))
    default: unanswered(prefix, systemMessage(number))
    }
  }

  private static func unanswered(_ prefix: String, _ note: String) -> MgmtError {
    MgmtError(Diagnostic("status.answer", "the agent with the prefix \(prefix) does not answer", notes: [note]))
  }

  /// The answer broke off.
  public func broken() -> MgmtError { Self.unanswered(prefix, "it ended the connection before the answer was complete") }
}
