// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SvcPlugin

@Suite struct BusConnectionTests {
  /// The time counts from when a call is asked for, however long it waits to be sent.
  @Test func whatIsLeftOfACallsTime() {
    var queue = CallQueue<String>()
    for (call, deadline) in [("a", UInt64(10)), ("b", 30), ("c", 40)] { queue.append(call, deadline: deadline) }
    let taken = [UInt64(4), 30].map { queue.takeFirst(now: $0) }
    #expect(taken.map { $0?.call } == ["a", "b"])
    #expect(taken.map { $0?.remaining } == [6, 0])
    #expect(!queue.isEmpty)
    let rest = queue.takeAll()
    #expect(rest == ["c"] && queue.isEmpty)
    let none = queue.takeFirst(now: 0)
    #expect(none == nil)
  }

  @Test(arguments: [
    ("unix:path=/run/dbus/system_bus_socket", ["/run/dbus/system_bus_socket"]),
    ("unix:guid=12,path=/a%20b%2fc;tcp:host=x,port=1;unix:path=/d,guid=3", ["/a b/c", "/d"]),
    ("unix:abstract=/x;unix:path=relative;unix:dir=/tmp;tcp:path=/x", []),
    ("unix:path=/a%", []), ("unix:path=/a%2", []), ("unix:path=/a%zz", []), ("unix:path=/a%00", []), ("unix:path=/a%ff", []),
    ("unix:path=/a%+1", []), ("", []), (";:,=%", []),
  ])
  func whereASocketIs(address: String, paths: [String]) {
    #expect(BusAddress.paths(address) == paths)
  }
}
