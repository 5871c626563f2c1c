// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ExecPlugin

@Suite struct OutputTests {
  private func appended(_ pieces: [[UInt8]], half: Int) -> BoundedOutput {
    var output = BoundedOutput(half: half)
    for piece in pieces { piece.withUnsafeBufferPointer { output.append($0) } }
    return output
  }

  private func text(_ output: BoundedOutput) -> String { output.text ?? "nil" }

  @Test func nothing() {
    #expect(appended([], half: 4).text == nil)
    #expect(appended([], half: 4).lastLines(3) == [])
    #expect(appended([], half: 4).equals(""))
  }

  @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 30])
  func keepsBothEnds(piece: Int) {
    let input = Array("abcdefghijklmnopqrstuvwxyz".utf8)
    let pieces = stride(from: 0, to: input.count, by: piece).map { Array(input[$0..<min($0 + piece, input.count)]) }
    let output = appended(pieces, half: 4)
    #expect(text(output) == "abcd\n[... 18 bytes were not kept ...]\nwxyz")
    #expect(output.total == 26)
    #expect(output.dropped == 18)
  }

  @Test(arguments: 1...8)
  func keepsAllThatFits(piece: Int) {
    let input = Array("abcdefgh".utf8)
    let pieces = stride(from: 0, to: input.count, by: piece).map { Array(input[$0..<min($0 + piece, input.count)]) }
    let output = appended(pieces, half: 4)
    #expect(text(output) == "abcdefgh")
    #expect(output.equals("abcdefgh"))
    #expect(!output.equals("abcdefgH"))
  }

  @Test func truncatedOutputEqualsNothing() {
    let output = appended([Array("abcdefghi".utf8)], half: 4)
    #expect(!output.equals("abcdefghi"))
    #expect(!output.equals(text(output)))
  }

  @Test func lastLines() {
    let lines = (1...30).map { "line \($0)" }
    let output = appended([Array((lines.joined(separator: "\n") + "\n").utf8)], half: 4096)
    #expect(output.lastLines(2) == ["line 29", "line 30"])
    #expect(output.lastLines(100).count == 30)
  }

  @Test func lastLinesOfHugeOutputComeFromItsEnd() {
    var output = BoundedOutput(half: 1024)
    for number in 0..<10_000 { Array("line \(number)\n".utf8).withUnsafeBufferPointer { output.append($0) } }
    #expect(output.lastLines(1) == ["line 9999"])
    #expect(output.bytes.count < 2 * 1024 + 60)
  }

  @Test func bytesThatAreNotTextAreReplaced() {
    #expect(text(appended([[0xFF, 0x41]], half: 4)) == "\u{FFFD}A")
  }

  @Test func shownLinesAreBoundedAndSafe() {
    #expect(displayLine(Array("\u{1B}[31mred\tend\r".utf8)) == "\u{FFFD}[31mred\tend")
    let long = displayLine([UInt8](repeating: 0x61, count: 600))
    #expect(long.hasSuffix(" ..."))
    #expect(long.utf8.count == displayLineLimit + 4)
  }

  @Test func linesArriveInPieces() {
    var splitter = LineSplitter()
    var lines: [String] = []
    for piece in ["on", "e\n\ntw", "o\nthr", "ee"] {
      Array(piece.utf8).withUnsafeBufferPointer { splitter.append($0) { lines.append($0) } }
    }
    splitter.finish { lines.append($0) }
    #expect(lines == ["one", "two", "three"])
  }

  @Test func theLogIsBounded() {
    var log = OutputLog(limit: 2)
    var lines: [String] = []
    for (fd, piece) in [(1, "a\nb"), (2, "c\n"), (1, "bb\nd\n"), (2, "more\n")] as [(Int32, String)] {
      Array(piece.utf8).withUnsafeBufferPointer { log.append(fd, $0) { lines.append($0) } }
    }
    log.finish { lines.append($0) }
    #expect(lines == ["a", "c", "... and 11 more bytes that are not shown"])
  }

  @Test func streamsAreInterleaved() {
    var streams = CommandStreams()
    for (fd, piece) in [(1, "a"), (2, "b"), (1, "c")] as [(Int32, String)] {
      Array(piece.utf8).withUnsafeBufferPointer { streams.append(fd, $0) { _ in } }
    }
    #expect(streams.text == CapturedText(output: "abc", stdout: "ac", stderr: "b"))
  }

  @Test func eventsOfAWatchCommand() {
    var events = LineEvents()
    func feed(_ fd: Int32, _ text: String) -> Bool { Array(text.utf8).withUnsafeBufferPointer { events.append(fd, $0) } }
    #expect(!feed(1, "\n\r\n"))
    #expect(!feed(1, "half"))
    #expect(!feed(2, "\n"))
    #expect(feed(1, "\n"))
    #expect(feed(2, "\nword\nrest"))
    #expect(feed(2, "\n"))
    #expect(!feed(2, "\n"))
  }
}
