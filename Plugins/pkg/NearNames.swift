// SPDX-License-Identifier: Apache-2.0

import PluginKit

extension NearNames {
  /// Parts of a name that a search looks for: one of them is right even if a letter of the other is wrong.
  static func parts(of name: String) -> [String] {
    let characters = Array(name)
    let length = characters.count < 4 ? max(1, characters.count - 1) : min(characters.count / 2, 5)
    return [String(characters.prefix(length)), String(characters.suffix(length))]
  }
}
