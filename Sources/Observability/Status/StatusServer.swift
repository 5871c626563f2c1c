// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
public import Engine
import Glibc
import ObservabilityShims
public import Reactor

/// What a status server shows.
public protocol StatusSubject: AnyObject {
  /// Every resource, in any order.
  func visitStatus(_ body: (ResourceStatus) -> Void)
  /// Its counts are filled in by the server.
  var agentStatus: AgentStatus { get }
}

/// Answers clients at the Unix socket `<prefix>/engine/status.sock`: who runs as the agent's user, or root. docs/observability.md
/// describes the protocol.
public final class StatusServer {
  static let socketName = "status.sock"
  static let maximumClients = 16
  /// Watchers hear at most so often.
  static let watchMilliseconds: UInt64 = 100
  /// Things that happen together are told together.
  private static let gatherMilliseconds: UInt64 = 5
  /// Looking at a large graph takes long: at most every so manieth part of the time is spent on it.
  private static let share: UInt64 = 20
  /// Of resources that changed, at once.
  private static let maximumNews = 1000

  private unowned let subject: any StatusSubject
  private let reactor: Reactor
  private let directory: EngineDirectory
  private var listener: Listener?
  private var clients: [StatusClientConnection] = []
  private var tracker = ChangeTracker()
  private var timer: ReactorTimer?
  private var nextLook: UInt64 = 0
  private var hasWatchers = false
  /// What watchers were told of the agent last.
  private var told: AgentStatus?

  /// The agent's lock is held: a socket that is there is nobody's.
  public init(_ directory: EngineDirectory, reactor: Reactor, subject: any StatusSubject) throws(MgmtError) {
    self.directory = directory
    self.reactor = reactor
    self.subject = subject
    let fd = try Self.listeningSocket(directory)
    do throws(ReactorError) {
      listener = try Listener(fd: fd, reactor: reactor) { [unowned self] in accept($0) }
    } catch {
      Glibc.close(fd)
      throw Self.failure(directory, error.message)
    }
  }

  /// Ends every client and takes the socket away.
  public func close() {
    guard let listener else { return }
    listener.close()
    self.listener = nil
    timer?.cancel()
    unlinkat(directory.fd, Self.socketName, 0)
    for client in clients { client.connection.close() }
  }

  // MARK: The socket

  private static func listeningSocket(_ directory: EngineDirectory) throws(MgmtError) -> Int32 {
    guard unlinkat(directory.fd, socketName, 0) == 0 || errno == ENOENT else {
      throw failure(directory, "what is in its place cannot be removed: \(systemMessage(errno))")
    }
    let fd = shim_unix_socket(Int32(SHIM_STREAM))
    guard fd >= 0 else { throw failure(directory, systemMessage(errno)) }
    var status = stat()
    // The mode of the socket becomes that of the name, whatever the umask. Nobody can connect before `listen`.
    guard fchmod(fd, 0o600) == 0, shim_unix_bind(fd, directory.shortPath(socketName)) == 0,
      fstatat(directory.fd, socketName, &status, AT_SYMLINK_NOFOLLOW) == 0
    else {
      let number = errno
      Glibc.close(fd)
      throw failure(directory, systemMessage(number))
    }
    guard status.st_mode & 0o177 == 0, listen(fd, Int32(maximumClients)) == 0 else {
      Glibc.close(fd)
      throw failure(directory, "others could connect to it")
    }
    return fd
  }

  private static func failure(_ directory: EngineDirectory, _ note: String) -> MgmtError {
    MgmtError(
      Diagnostic(
        "status.socket", severity: .warning, "`mgmt status` will not work: no socket \(directory.path)/\(socketName)",
        notes: [note]))
  }

  // MARK: Clients

  private func accept(_ fd: Int32) {
    var user: uid_t = 0
    var process: pid_t = 0
    guard shim_peer(fd, &user, &process) == 0, user == geteuid() || user == 0 else {
      Glibc.close(fd)
      return
    }
    guard clients.count < Self.maximumClients else {
      let words = Array("\(StatusRequest.errorWord)too many clients of the status socket\n".utf8)
      _ = words.withUnsafeBytes { send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      Glibc.close(fd)
      return
    }
    guard let connection = try? Connection(fd: fd, reactor: reactor) else { return }
    let client = StatusClientConnection(connection)
    connection.ended = { [unowned self, unowned client] in remove(client) }
    connection.end(afterMilliseconds: StatusClientConnection.stallMilliseconds)
    clients.append(client)
    client.asked = { [unowned self, unowned client] in answer(client, $0) }
  }

  private func remove(_ client: StatusClientConnection) {
    clients.removeAll { $0 === client }
    guard hasWatchers, !clients.contains(where: \.isWatching) else { return }
    hasWatchers = false
    tracker.end()
    timer?.cancel()
    timer = nil
  }

  private func answer(_ client: StatusClientConnection, _ request: StatusRequest) {
    var all: [ResourceStatus] = []
    subject.visitStatus { all.append($0) }
    all.sort { ($0.id.kind, $0.id.name) < ($1.id.kind, $1.id.name) }
    var agent = subject.agentStatus
    agent.counts = StatusCounts(all)
    if request.watches, !hasWatchers {
      hasWatchers = true
      tracker.begin(all)
      told = agent
    }
    client.begin(request, all, agent)
  }

  // MARK: Watchers

  /// Something happened: watchers will be told. Costs next to nothing when there are none.
  public func changed() {
    guard hasWatchers, timer == nil else { return }
    let now = monotonicNow()
    let wait = nextLook > now ? (nextLook - now) / 1_000_000 + 1 : 0
    timer = reactor.addTimer(afterMilliseconds: max(wait, Self.gatherMilliseconds)) { [unowned self] in
      timer = nil
      tell()
    }
  }

  private func tell() {
    let begin = monotonicNow()
    let news = tracker.look(most: Self.maximumNews) { subject.visitStatus($0) }
    var agent = subject.agentStatus
    agent.counts = news.counts
    if !news.isEmpty || agent != told {
      told = agent
      for isJSON in [false, true] {
        let listeners = clients.filter { $0.isWatching && $0.isJSON == isJSON }
        guard !listeners.isEmpty else { continue }
        let bytes = Self.render(news, agent, isJSON ? JSONStatus() : TextStatus())
        for client in listeners { client.send(bytes) }
      }
    }
    let end = monotonicNow()
    nextLook = begin + max(Self.watchMilliseconds * 1_000_000, (end - begin) * Self.share)
    if news.isCut { changed() }
  }

  private static func render(_ news: ChangeTracker.News, _ agent: AgentStatus, _ renderer: any StatusRenderer) -> [UInt8] {
    let clock = WallClock()
    var bytes: [UInt8] = []
    for id in news.removed { bytes += renderer.removed(id.description) }
    for status in news.changed { bytes += renderer.resource(status, clock) }
    return bytes + renderer.agent(agent, clock)
  }
}
