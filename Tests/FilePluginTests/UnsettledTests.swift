// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import FilePlugin

@Suite struct UnsettledTests {
  @Test("A directory that is gone stands for the file system it was on, and there is no end of names")
  func settles() throws {
    let unsettled = Unsettled()
    let folder = try Folder()
    try unsettled.settle()
    unsettled.note(folder.path + "/")
    unsettled.note(folder.path + "/gone/and/gone/")
    // More than are kept as names.
    for number in 0..<3000 { unsettled.note(folder.path + "/no/\(number)/") }
    try unsettled.settle()
    #expect(unsettled.isEmpty)
  }
}
