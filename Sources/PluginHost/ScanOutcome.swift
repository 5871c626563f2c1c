// SPDX-License-Identifier: Apache-2.0

import Diagnostics

/// What came of reading a plugin's description.
enum ScanOutcome: Sendable, Hashable {
  case described(PluginDescriptor)
  case refused(Diagnostic)

  /// Whether it will come out the same as long as the file is the same. A library that is missing today may be there tomorrow.
  var isLasting: Bool {
    switch self {
    case .described: true
    case .refused(let diagnostic):
      ["plugin.format", "plugin.symbol", "plugin.abi", "plugin.descriptor", "plugin.crash", "plugin.hang"].contains(
        diagnostic.code)
    }
  }
}

/// What a scanning process answers. It ran foreign code: the answer may be anything.
enum ScanAnswer: Hashable {
  case descriptor(PluginDescriptor)
  case notLoadable(String)
  case noSymbol
  case problem(DescriptorProblem)

  private static let magic: UInt32 = 0x314e_4353  // "SCN1"

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.write(Self.magic)
    switch self {
    case .descriptor(let descriptor):
      writer.write(UInt8(0))
      writer.write(descriptor.encoded)
    case .notLoadable(let reason):
      writer.write(UInt8(1))
      writer.write(reason)
    case .noSymbol: writer.write(UInt8(2))
    case .problem(let problem):
      writer.write(UInt8(problem.kind == .version ? 3 : 4))
      writer.write(problem.message)
    }
    return writer.bytes
  }

  /// nil: no answer of a scanning process.
  init?(decoding bytes: [UInt8]) {
    var reader = ByteReader(bytes)
    do {
      guard try reader.number(UInt32.self) == Self.magic else { return nil }
      switch try reader.number(UInt8.self) {
      case 0: self = .descriptor(try PluginDescriptor(decoding: try reader.data(atMost: DescriptorLimits.encoded)))
      case 1: self = .notLoadable(cleanLine(try reader.text(atMost: 1 << 14)))
      case 2: self = .noSymbol
      case 3: self = .problem(DescriptorProblem(cleanLine(try reader.text(atMost: 1 << 18)), kind: .version))
      case 4: self = .problem(DescriptorProblem(cleanLine(try reader.text(atMost: 1 << 18))))
      default: return nil
      }
      try reader.end()
    } catch {
      return nil
    }
  }

  func outcome(path: String) -> ScanOutcome {
    switch self {
    case .descriptor(let descriptor): .described(descriptor)
    case .notLoadable(let reason): .refused(PluginDiagnostics.notLoadable(path, reason))
    case .noSymbol: .refused(PluginDiagnostics.noSymbol(path))
    case .problem(let problem): .refused(PluginDiagnostics.problem(path, problem))
    }
  }
}
