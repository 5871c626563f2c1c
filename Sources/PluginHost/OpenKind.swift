// SPDX-License-Identifier: Apache-2.0

import Engine
import PluginABI
import Values

/// A kind that is in use: its plugin's table and the state its instances share.
final class OpenKind {
  let context: PluginContext
  let table: UnsafePointer<mgmt_kind>
  let schema: KindSchema
  let shared: UnsafeMutableRawPointer?
  let isNonblocking: Bool
  /// Understands `MGMT_CHECK_BRIEF`.
  let isBrief: Bool
  /// Each watch has a thread.
  let blocksToWatch: Bool

  /// What its table offers.
  var traits: KindTraits {
    var traits: KindTraits = []
    if table.pointee.uids != nil { traits.insert(.identifies) }
    if table.pointee.auto_edges != nil { traits.insert(.wishes) }
    if table.pointee.group_cmp != nil, table.pointee.group != nil { traits.insert(.leads) }
    if table.pointee.reverse != nil { traits.insert(.reverses) }
    if table.pointee.cmp != nil { traits.insert(.compares) }
    if table.pointee.prepare != nil { traits.insert(.prepares) }
    return traits
  }

  init(context: PluginContext, table: UnsafePointer<mgmt_kind>, schema: KindSchema, shared: UnsafeMutableRawPointer?) {
    self.context = context
    self.table = table
    self.schema = schema
    self.shared = shared
    isNonblocking = table.pointee.flags & UInt32(MGMT_KIND_NONBLOCKING) != 0
    isBrief = table.pointee.flags & UInt32(MGMT_KIND_BRIEF) != 0
    blocksToWatch = table.pointee.flags & UInt32(MGMT_KIND_BLOCKING_WATCH) != 0 && table.pointee.watch_blocking != nil
  }
}
