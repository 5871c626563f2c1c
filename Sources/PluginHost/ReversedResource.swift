// SPDX-License-Identifier: Apache-2.0

import Values

/// A resource a plugin named as what undoes another.
struct ReversedResource: Sendable, Equatable {
  var kind: String
  var name: String
  /// Those that are set, by name.
  var parameters: [Value.Field]
}
