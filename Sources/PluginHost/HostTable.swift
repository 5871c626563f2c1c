// SPDX-License-Identifier: Apache-2.0

import Engine
import PluginABI
import Reactor
import Values

/// The functions a plugin may call. What comes in is hostile: numbers that are no handles, calls from the wrong thread.
enum HostTable {
  static func make(_ runtime: RuntimeShared) -> mgmt_host {
    var table = mgmt_host()
    table.size = UInt32(MemoryLayout<mgmt_host>.size)
    table.minor = UInt32(MGMT_ABI_MINOR)
    table.program = permanent("mgmt")
    table.version = permanent(runtime.version)
    table.hostname = permanent(runtime.hostname)
    addResourceFunctions(&table)
    addCallFunctions(&table)
    addSourceFunctions(&table)
    addSinkFunctions(&table)
    addPluginDirectory(&table)
    table.extension = { _, _ in nil }
    return table
  }

  private static func permanent(_ text: String) -> mgmt_str {
    let bytes = Array(text.utf8)
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, bytes.count))
    for (position, byte) in bytes.enumerated() { memory[position] = CChar(bitPattern: byte) }
    return mgmt_str(ptr: memory, len: bytes.count)
  }

  private static func addResourceFunctions(_ table: inout mgmt_host) {
    table.log = { host, resource, level, text in
      guard let context = PluginContext.from(host) else { return }
      let level = LogLevel(rawValue: Int(level)) ?? .info
      let id = resource.map { UInt(bitPattern: $0) }
      context.runtime.tell(.log(id, level, String(foreign: text, limit: 16 << 10)))
    }
    table.fail = { error, errno, field, text, hint in
      ErrorBox.from(error)?.set(report(errno, field, text, hint))
    }
    table.ready = { shared($0)?.tell(.ready(UInt(bitPattern: $0))) }
    table.event = { shared($0)?.tell(.event(UInt(bitPattern: $0))) }
    table.watch_failed = { resource, errno, text, hint in
      let box = ErrorBox()
      box.set(report(errno, mgmt_str(), text, hint))
      shared(resource)?.tell(.watchFailed(UInt(bitPattern: resource), box))
    }
    table.vardir = { resource, name, buffer, capacity, length in
      let id = UInt(bitPattern: resource)
      guard let runtime = shared(resource), let info = runtime.info(id) else { return mgmt_status(MGMT_FAILED) }
      switch runtime.stateDirectory.make(kind: info.kind, name: info.name, sub: String(foreign: name, limit: 256)) {
      case .failure(let error):
        runtime.tell(.log(id, .warning, error.message))
        return mgmt_status(MGMT_FAILED)
      case .success(let path): return give(path, buffer, capacity, length)
      }
    }
  }

  private static func addCallFunctions(_ table: inout mgmt_host) {
    table.cancel_fd = { CurrentRuntime.shared?.calls.call($0)?.cancelDescriptor() ?? -1 }
    table.progress = { call, permille, text in
      guard let call = CurrentRuntime.shared?.calls.call(call) else { return }
      CurrentRuntime.shared?.tell(.progress(call.instance, permille: min(permille, 1000), String(foreign: text, limit: 1024)))
    }
    table.change = { call, path, was, will in
      guard let runtime = CurrentRuntime.shared, let call = runtime.calls.call(call) else { return }
      let masks = !runtime.showsSecrets
      call.add(
        Change(
          path: String(foreign: path, limit: 4096), was: call.shown(was, masks), will: call.shown(will, masks),
          isSecret: [was, will].contains { $0?.pointee.holdsSecret() ?? false }))
    }
    table.send = { call, value in send(call, as: nil, value) }
    table.send_as = { call, member, value in send(call, as: member.map { UInt(bitPattern: $0) } ?? 0, value) }
    table.call_error = { CurrentRuntime.shared?.calls.call($0)?.error.pointer }
    table.complete = { pointer, status in
      guard let runtime = CurrentRuntime.shared else { return }
      guard let call = runtime.calls.call(pointer) else { return runtime.calls.reportEnded(pointer, in: runtime) }
      call.complete(status)
    }
  }

  private static func addSinkFunctions(_ table: inout mgmt_host) {
    table.put_uid = { sink, uid in
      guard let uid, let sink = CurrentRuntime.shared?.sinks.sink(sink) else { return }
      sink.onUID?(uid)
    }
    table.put_resource = { sink, kind, name, names, values, count in
      guard let sink = CurrentRuntime.shared?.sinks.sink(sink) else { return }
      guard count <= 1024 else { return sink.refuse(StrangeValue(words: "more than 1024 parameters")) }
      var fields: [Value.Field] = []
      if count > 0, let names, let values {
        for position in 0..<count {
          do throws(StrangeValue) {
            let value = try Value(foreign: values[position], for: .kept)
            fields.append(.init(name: String(foreign: names[position], limit: 256), value: value))
          } catch {
            return sink.refuse(error)
          }
        }
      }
      sink.put(
        ReversedResource(
          kind: String(foreign: kind, limit: 256), name: String(foreign: name, limit: 1 << 16), parameters: fields))
    }
  }

  private static func addSourceFunctions(_ table: inout mgmt_host) {
    table.fd_add = { host, fd, events, body, user in
      guard let context = reactorOnly(host, "fd_add"), let body else { return nil }
      let source = PluginSource(context: context, user: user)
      do throws(ReactorError) {
        source.fd = try context.runtime.reactor.addFD(fd, events: events) { [unowned source] events in
          context.onReactor("an fd callback") { body(source.user, events) }
        }
      } catch {
        context.runtime.tell(.log(nil, .warning, "plugin \"\(context.name)\": descriptor \(fd): \(error.message)"))
        return nil
      }
      return context.runtime.sources.add(source)
    }
    table.fd_modify = { source, events in
      guard let runtime = CurrentRuntime.shared, let source = runtime.sources.source(UInt(bitPattern: source)) else { return }
      guard runtime.isOnReactor else { return source.context.misbehaved("fd_modify was called off the reactor's thread") }
      source.fd?.modify(events: events)
    }
    table.timer_add = { host, first, every, body, user in
      guard let context = reactorOnly(host, "timer_add"), let body else { return nil }
      let source = PluginSource(context: context, user: user)
      arm(source, first, every, body)
      return context.runtime.sources.add(source)
    }
    table.spawn = { host, request, output, exit, user in
      guard let context = PluginContext.from(host), let request, let exit else { return nil }
      let source = PluginSource(context: context, user: user)
      source.request = SpawnRequest(foreign: request, wantsOutput: output != nil)
      source.output = output
      source.exit = exit
      let pointer = context.runtime.sources.add(source)
      context.runtime.tell(.spawn(UInt(bitPattern: pointer)))
      return pointer
    }
    table.source_stop = { pointer in
      guard let runtime = CurrentRuntime.shared, let source = runtime.sources.source(UInt(bitPattern: pointer)) else { return }
      guard runtime.isOnReactor else { return source.context.misbehaved("source_stop was called off the reactor's thread") }
      source.child?.stop()
    }
    table.source_delete = { pointer in
      guard let runtime = CurrentRuntime.shared, let source = runtime.sources.source(UInt(bitPattern: pointer)) else { return }
      guard runtime.isOnReactor else { return source.context.misbehaved("source_delete was called off the reactor's thread") }
      runtime.sources.remove(UInt(bitPattern: pointer))?.delete()
    }
  }
}

private func arm(_ source: PluginSource, _ first: UInt64, _ every: UInt64, _ body: @escaping mgmt_timer_fn) {
  source.timer = source.context.runtime.reactor.addTimer(afterMilliseconds: first) { [unowned source] in
    if every > 0 { arm(source, every, every, body) }
    source.context.onReactor("a timer callback") { body(source.user) }
  }
}

/// nil off the reactor's thread: the call is refused.
private func reactorOnly(_ host: UnsafePointer<mgmt_host>?, _ function: String) -> PluginContext? {
  guard let context = PluginContext.from(host) else { return nil }
  if context.runtime.isOnReactor { return context }
  context.misbehaved("\(function) was called off the reactor's thread: refused")
  return nil
}

/// `host->send` and `host->send_as`; member nil: the resource whose check it is.
private func send(_ call: OpaquePointer?, as member: UInt?, _ value: UnsafePointer<mgmt_value>?) -> mgmt_status {
  guard let runtime = CurrentRuntime.shared, let call = runtime.calls.call(call), let value else {
    return mgmt_status(MGMT_FAILED)
  }
  return call.send(as: member, value.pointee) ? mgmt_status(MGMT_OK) : mgmt_status(MGMT_FAILED)
}

private func shared(_ resource: OpaquePointer?) -> RuntimeShared? {
  resource == nil ? nil : CurrentRuntime.shared
}

private func report(_ errno: Int32, _ field: mgmt_str, _ text: mgmt_str, _ hint: mgmt_str) -> ErrorBox.Report {
  let limit = 16 << 10
  return ErrorBox.Report(
    errno: errno, field: String(foreign: field, limit: 256), text: String(foreign: text, limit: limit),
    hint: String(foreign: hint, limit: limit))
}

extension SpawnRequest {
  fileprivate init(foreign request: UnsafePointer<mgmt_spawn>, wantsOutput: Bool) {
    func strings(_ start: UnsafePointer<mgmt_str>?, _ count: Int) -> [String] {
      UnsafeBufferPointer(start: start, count: start == nil ? 0 : min(count, 1 << 16)).map { String(foreign: $0) }
    }
    let spawn = request.pointee
    self.init(strings(spawn.argv, spawn.argc), environment: strings(spawn.env, spawn.env_count))
    directory = String(foreign: spawn.cwd)
    user = String(foreign: spawn.user)
    group = String(foreign: spawn.group)
    capturesStdout = wantsOutput && spawn.flags & UInt32(MGMT_SPAWN_STDOUT) != 0
    capturesStderr = wantsOutput && spawn.flags & UInt32(MGMT_SPAWN_STDERR) != 0
    if spawn.stop_signal > 0 { stopSignal = spawn.stop_signal }
    if spawn.stop_grace_ms > 0 { stopGraceMilliseconds = UInt64(spawn.stop_grace_ms) }
    timeoutMilliseconds = spawn.timeout_ms
  }
}
