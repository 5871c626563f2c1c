// SPDX-License-Identifier: Apache-2.0

/// What each `print` printed last, by name: a resource that is made anew goes on where the one before it ended. [reactor]
final class PrintedMessages {
  private struct Entry {
    var message: String?
    /// Resources of this name; while one replaces another there can be two.
    var count = 0
    /// When the last of them went.
    var departure = 0
  }

  /// Messages of resources that are gone are kept up to this many, so that names that come and go do not fill the memory.
  static let remembered = 1000

  private var entries: [String: Entry] = [:]
  /// Names that went, in this order. Those that came back since, or went again later, are passed over.
  private var gone: [(name: String, departure: Int)] = []
  private var departures = 0

  func last(_ name: String) -> String? { entries[name]?.message }

  func record(_ message: String, for name: String) { entries[name, default: Entry()].message = message }

  func appeared(_ name: String) { entries[name, default: Entry()].count += 1 }

  func disappeared(_ name: String) {
    guard var entry = entries[name] else { return }
    entry.count -= 1
    departures += 1
    entry.departure = departures
    entries[name] = entry.count <= 0 && entry.message == nil ? nil : entry
    guard entry.count <= 0, entry.message != nil else { return }
    gone.append((name, departures))
    guard gone.count > 2 * Self.remembered else { return }
    for (name, departure) in gone.dropLast(Self.remembered) {
      if let entry = entries[name], entry.count <= 0, entry.departure == departure { entries[name] = nil }
    }
    gone.removeFirst(gone.count - Self.remembered)
  }
}
