// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A `mode` parameter: the permission bits asked for, or how to get them from the current ones.
enum FileMode: Equatable {
  case octal(mode_t)
  /// Bits to clear, then bits to set.
  case symbolic(clear: mode_t, set: mode_t)

  /// The bits wanted where `current` are there now.
  func applied(to current: mode_t) -> mode_t {
    switch self {
    case .octal(let bits): bits
    case .symbolic(let clear, let set): current & 0o7777 & ~clear | set
    }
  }

  struct Problem: Error {
    var text: String
    var hint: String
  }

  static func parse(_ text: String) throws(Problem) -> FileMode {
    if let first = text.utf8.first, first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9") { return try parseOctal(text) }
    return try parseSymbolic(text)
  }

  private static func parseOctal(_ text: String) throws(Problem) -> FileMode {
    guard text.utf8.allSatisfy({ $0 >= 48 && $0 <= 55 }), let bits = mode_t(text, radix: 8), bits <= 0o7777 else {
      throw Problem(text: "\"\(text)\" is not an octal mode", hint: "three or four digits from 0 to 7, like \"0644\"")
    }
    return .octal(bits)
  }

  private static func parseSymbolic(_ text: String) throws(Problem) -> FileMode {
    var clear: mode_t = 0
    var set: mode_t = 0
    var seen: Set<Character> = []
    let items = text.split(separator: ",", omittingEmptySubsequences: false)
    for item in items {
      guard let sign = item.firstIndex(where: { "=+-".contains($0) }), item[sign] == "=" else {
        throw Problem(
          text: "\"\(item)\" is not an assignment",
          hint: "write it like \"u=rw,g=r,o=\"; + and - would change the mode at every run")
      }
      let who = item[..<sign]
      if (who.isEmpty || who.contains("a")) && (items.count > 1 || who.count > 1) {
        throw Problem(text: "\"\(item)\" is for everybody, so it must be the only one", hint: "name the subjects: u, g, o")
      }
      for subject in who.isEmpty || who == "a" ? "ugo" : String(who) {
        guard "ugo".contains(subject) else {
          throw Problem(text: "\"\(subject)\" in \"\(item)\" is nobody", hint: "subjects are u, g, o and a")
        }
        guard seen.insert(subject).inserted else {
          throw Problem(text: "\"\(subject)\" is given twice in \"\(text)\"", hint: "give each subject once")
        }
        clear |= all(subject)
        for permission in item[item.index(after: sign)...] {
          guard let bits = bits(subject, permission) else {
            throw Problem(
              text: "\"\(permission)\" in \"\(item)\" is not a permission", hint: "permissions are r, w, x, s and t")
          }
          set |= bits
        }
      }
    }
    return .symbolic(clear: clear, set: set)
  }

  private static func all(_ subject: Character) -> mode_t {
    switch subject {
    case "u": 0o4700
    case "g": 0o2070
    default: 0o1007
    }
  }

  private static func bits(_ subject: Character, _ permission: Character) -> mode_t? {
    let shift: mode_t = subject == "u" ? 6 : subject == "g" ? 3 : 0
    switch permission {
    case "r": return 4 << shift
    case "w": return 2 << shift
    case "x": return 1 << shift
    case "s": return subject == "u" ? 0o4000 : subject == "g" ? 0o2000 : 0
    case "t": return 0o1000
    default: return nil
    }
  }
}

/// Permission bits as people write them: "0644".
func octal(_ mode: mode_t) -> String {
  let digits = String(mode & 0o7777, radix: 8)
  return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
}
