// SPDX-License-Identifier: Apache-2.0

/// The start of a file, as far as it says whether this machine can load it.
enum ELFHeader {
  static let size = 20

  /// Why `bytes`, the first of the file, are not those of a shared object for this machine; nil: they are.
  static func refusal(_ bytes: [UInt8]) -> String? {
    guard !bytes.isEmpty else { return "it is empty" }
    guard bytes.starts(with: [0x7f, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]) else {
      return "it is not an ELF file"
    }
    guard bytes.count >= size else { return "it is only \(bytes.count) bytes long" }
    guard Int(bytes[4]) == (MemoryLayout<Int>.size == 8 ? 2 : 1) else {
      return "it is a \(bytes[4] == 1 ? "32" : "64")-bit file"
    }
    guard bytes[5] == hostByteOrder else { return "its byte order is another" }
    func half(_ at: Int) -> UInt16 {
      let (first, second) = (UInt16(bytes[at]), UInt16(bytes[at + 1]))
      return hostByteOrder == 1 ? first | second << 8 : first << 8 | second
    }
    guard half(16) == 3 else { return half(16) == 1 ? "it is an object file, not linked yet" : "it is not a shared object" }
    guard half(18) == hostMachine else {
      return "it is built for \(machineName(half(18))), this is \(machineName(hostMachine))"
    }
    return nil
  }

  private static var hostByteOrder: UInt8 { UInt16(1).littleEndian == 1 ? 1 : 2 }

  private static var hostMachine: UInt16 {
    #if arch(x86_64)
      62
    #elseif arch(arm64)
      183
    #elseif arch(arm)
      40
    #elseif arch(i386)
      3
    #elseif arch(riscv64)
      243
    #elseif arch(s390x)
      22
    #elseif arch(powerpc64) || arch(powerpc64le)
      21
    #endif
  }

  private static func machineName(_ number: UInt16) -> String {
    switch number {
    case 3: "x86 (32 bits)"
    case 21: "POWER"
    case 22: "s390x"
    case 40: "ARM (32 bits)"
    case 62: "x86-64"
    case 183: "AArch64"
    case 243: "RISC-V"
    default: "machine number \(number)"
    }
  }
}
