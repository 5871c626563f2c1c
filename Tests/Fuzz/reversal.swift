// SPDX-License-Identifier: Apache-2.0

// libFuzzer: the decoder of reversal records, which lie on disk between two lives of the agent. What it accepts must come out the
// same when it is encoded and decoded again. The bytes get a valid checksum first, or nothing would come further than that.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzReversal(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  _ = try? ReversalRecord(bytes)
  guard let record = try? ReversalRecord(ReversalRecord.sealed(bytes)) else { return 0 }
  let again = try? ReversalRecord(record.bytes)
  // Not-a-number is not equal to itself: what is compared is what is written.
  precondition(again?.bytes == record.bytes, "a reversal does not survive its encoding")
  return 0
}
