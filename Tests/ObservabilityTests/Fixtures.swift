// SPDX-License-Identifier: Apache-2.0

import Glibc
import Graph

@testable import Engine
@testable import Observability

extension ResourceStatus {
  /// `kind[name]`
  static func make(_ id: String, _ phase: Phase = .ok, changes: UInt32 = 0, _ set: (inout ResourceStatus) -> Void = { _ in })
    -> Self
  {
    var status = ResourceStatus(
      id: ResourceID(id), phase: phase, wasChecked: phase != .waiting && phase != .starting, waitsFor: [], failure: nil,
      changes: changes)
    set(&status)
    return status
  }
}

extension ResourceID {
  /// `kind[name]`
  init(_ text: String) {
    let parts = text.split(separator: "[", maxSplits: 1)
    self.init(kind: String(parts.first ?? ""), name: String(parts.last?.dropLast() ?? ""))
  }
}

extension WallClock {
  /// 2023-11-14 22:13:20 UTC, 1,000 seconds after the machine began.
  static let test = WallClock(wall: 1_700_000_000, monotonic: 1_000_000_000_000)
}

extension EngineTime {
  /// Seconds after the machine began.
  init(second: Double) { self.init(nanoseconds: UInt64(second * 1e9)) }
}

/// A directory of its own, removed at its end.
final class TestDirectory {
  let path: String

  init() {
    var template = Array("/tmp/mgmt-observability.XXXXXX".utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit {
    for name in ["agent.lock", "status.sock", "notify"] {
      unlink("\(path)/engine/\(name)")
      unlink("\(path)/\(name)")
    }
    rmdir("\(path)/engine")
    unlink("\(path)/engine")
    rmdir(path)
  }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
