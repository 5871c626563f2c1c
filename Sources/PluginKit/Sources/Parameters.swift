// SPDX-License-Identifier: Apache-2.0

import PluginABI

/// The values of a resource's parameters, borrowed for the length of the call they were given to. Keys are enums whose raw
/// values are the parameters' positions in the kind's description.
public struct Parameters {
  let values: UnsafePointer<mgmt_value>
  let count: Int

  private func value(_ key: some RawRepresentable<Int>) -> mgmt_value {
    (0..<count).contains(key.rawValue) ? values[key.rawValue] : mgmt_value()
  }

  public subscript(key: some RawRepresentable<Int>) -> Value { Value(value(key)) }

  public func isSet(_ key: some RawRepresentable<Int>) -> Bool { value(key).type != UInt32(MGMT_UNSET) }

  /// nil: not set.
  public func string(_ key: some RawRepresentable<Int>) -> String? {
    let value = value(key)
    return value.type == UInt32(MGMT_STRING) ? String(value.u.s) : nil
  }

  public func bool(_ key: some RawRepresentable<Int>) -> Bool {
    let value = value(key)
    return value.type == UInt32(MGMT_BOOL) && value.u.i != 0
  }

  public func int(_ key: some RawRepresentable<Int>) -> Int64? {
    let value = value(key)
    return value.type == UInt32(MGMT_INT) ? value.u.i : nil
  }

  public func float(_ key: some RawRepresentable<Int>) -> Double? {
    let value = value(key)
    return value.type == UInt32(MGMT_FLOAT) ? value.u.f : nil
  }

  /// The strings of a `[]str`; empty when not set.
  public func strings(_ key: some RawRepresentable<Int>) -> [String] {
    let value = value(key)
    guard value.type == UInt32(MGMT_LIST) else { return [] }
    return UnsafeBufferPointer(start: value.u.v.at, count: value.u.v.count).map { String($0.u.s) }
  }

  /// The pairs of a `map{str: str}` in the order they were written; empty when not set.
  public func stringMap(_ key: some RawRepresentable<Int>) -> [(key: String, value: String)] {
    let value = value(key)
    guard value.type == UInt32(MGMT_MAP), let items = value.u.v.at else { return [] }
    return stride(from: 0, to: value.u.v.count - 1, by: 2).map { (String(items[$0].u.s), String(items[$0 + 1].u.s)) }
  }
}

/// Which parameters have a value that was received and not yet checked. It stays so until a check has succeeded.
public struct ChangedParameters {
  let flags: UnsafePointer<UInt8>
  let count: Int

  public func contains(_ key: some RawRepresentable<Int>) -> Bool {
    (0..<count).contains(key.rawValue) && flags[key.rawValue] != 0
  }

  /// Positions in the kind's description, ascending.
  public var positions: [Int] { (0..<count).filter { flags[$0] != 0 } }
}
