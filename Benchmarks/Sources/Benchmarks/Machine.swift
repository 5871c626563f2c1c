// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What the figures were measured on: figures without it cannot be compared.
enum Machine {
  static var description: String {
    let info = ProcessInfo.processInfo
    let kernel = (try? Proc.text("/proc/sys/kernel/osrelease")) ?? "?"
    let load = ((try? Proc.text("/proc/loadavg")) ?? "?").split(separator: " ").first.map(String.init) ?? "?"
    let model = ((try? Proc.text("/proc/cpuinfo")) ?? "").split(separator: "\n")
      .first { $0.hasPrefix("model name") }?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
    let processor = model.map { " (\($0))" } ?? ""
    let trimmed = kernel.trimmingCharacters(in: .whitespacesAndNewlines)
    return "\(info.activeProcessorCount) processors\(processor), Linux \(trimmed), load \(load) at start"
  }
}
