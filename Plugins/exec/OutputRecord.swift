// SPDX-License-Identifier: Apache-2.0

import PluginKit

extension ExecSettings {
  /// A digest of all that decides what `cmd` writes. A record of another command's run says nothing about this one.
  var fingerprint: String {
    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var bytes: [UInt8] = []
    for list in [[cmd.text, cmd.shell, cmd.directory, user, group], cmd.arguments, variables] {
      bytes += Array("\(list.count)\n".utf8)
      for text in list { bytes += Array("\(text.utf8.count):\(text)\n".utf8) }
    }
    return SHA256.hex(of: bytes)
  }
}

/// The first line of each state file: the format, and the command whose run it remembers.
enum RecordHeader {
  static func bytes(of command: String) -> [UInt8] { Array("mgmt-exec-1 \(command)\n".utf8) }

  /// What follows the header; nil: it is another command's, or no record at all.
  static func strip(_ file: [UInt8], of command: String) -> [UInt8]? {
    let header = bytes(of: command)
    return file.starts(with: header) ? Array(file[header.count...]) : nil
  }
}

/// What the last successful run of a command wrote, as the bytes of one file.
struct OutputRecord: Equatable {
  var command: String
  var text: CapturedText

  init(command: String, text: CapturedText) {
    self.command = command
    self.text = text
  }

  /// After the header each stream: its length, a newline, its bytes; or "-" where nothing was written.
  var bytes: [UInt8] {
    [text.output, text.stdout, text.stderr].reduce(into: RecordHeader.bytes(of: command)) { bytes, stream in
      guard let stream else {
        bytes += Array("-\n".utf8)
        return
      }
      bytes += Array("\(stream.utf8.count)\n".utf8)
      bytes += Array(stream.utf8)
    }
  }

  /// nil: not a whole record of this command.
  init?(_ file: [UInt8], of command: String) {
    guard var rest = RecordHeader.strip(file, of: command)?[...] else { return nil }
    var streams: [String?] = []
    for _ in 0..<3 {
      guard let newline = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
      let length = String(decoding: rest[..<newline].prefix(20), as: UTF8.self)
      rest = rest[(newline + 1)...]
      if length == "-" {
        streams.append(nil)
      } else {
        guard let count = Int(length), count >= 0, count <= rest.count else { return nil }
        streams.append(String(decoding: rest.prefix(count), as: UTF8.self))
        rest = rest.dropFirst(count)
      }
    }
    guard rest.isEmpty, streams.count == 3 else { return nil }
    self.init(command: command, text: CapturedText(output: streams[0], stdout: streams[1], stderr: streams[2]))
  }
}
