// SPDX-License-Identifier: Apache-2.0

public import Diagnostics

/// One plugin file that was found, or a directory that cannot be used.
public struct PluginEntry: Sendable, Hashable {
  public enum State: Sendable, Hashable {
    case usable
    /// Why, and what mends it.
    case refused(Diagnostic)
    /// Other plugins, earlier in the search path, offer all it has.
    case shadowed
  }

  public struct Shadow: Sendable, Hashable {
    public var kind: String
    /// Path of the plugin that is used instead.
    public var by: String
  }

  public var path: String
  public var state: State
  /// nil when it is refused for what it is; it is there when it is refused for what it would replace.
  public var descriptor: PluginDescriptor?
  /// Kinds that are used from here.
  public var kinds: [String] = []
  /// Kinds it has and others are used for.
  public var shadows: [Shadow] = []
  /// What else there is to know, in a sentence.
  public var notice: String?
}
