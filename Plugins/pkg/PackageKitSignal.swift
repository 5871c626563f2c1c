// SPDX-License-Identifier: Apache-2.0

/// A package in an answer.
struct ListedPackage: Hashable, Sendable {
  /// `PackageInfo.code`.
  var info: UInt32
  var id: PackageID

  init(info: UInt32, id: PackageID) {
    self.info = info
    self.id = id
  }

  /// The three arguments of a `Package` signal.
  fileprivate init?(_ reader: inout BusReader) {
    guard let info = reader.uint32(), let id = reader.string(), reader.string() != nil, let id = PackageID(id) else {
      return nil
    }
    self.init(info: PackageInfo.code(info), id: id)
  }
}

/// What a transaction says.
enum PackageKitSignal: Equatable, Sendable {
  case packages([ListedPackage])
  case files(PackageID, [String])
  /// How many bytes have to be fetched for it.
  case size(PackageID, UInt64)
  /// In percent.
  case progress(UInt32)
  /// It works on a package.
  case itemProgress
  case errorCode(UInt32, String)
  case finished(exit: UInt32)
  case destroy
  /// Anything else is a sign of life.
  case other

  /// What no `PackageKit` would send is `other`.
  init(_ message: BusMessage) {
    var reader = message.arguments
    let signal: PackageKitSignal? =
      switch message.member {
      case "Package": ListedPackage(&reader).map { .packages([$0]) }
      case "Packages":
        // A package without a name is left out, not the rest after it.
        reader.array { $0.structure { .some(ListedPackage(&$0)) } }.map { .packages($0.compactMap(\.self)) }
      case "Files": Self.files(&reader)
      case "Details": Self.size(&reader)
      case "ItemProgress": Self.itemProgress(&reader)
      case "ErrorCode": Self.errorCode(&reader)
      case "Finished": reader.uint32().map { .finished(exit: $0) }
      case "Destroy": .destroy
      case "PropertiesChanged": Self.percentage(&reader)
      default: nil
      }
    self = signal ?? .other
  }

  private static func files(_ reader: inout BusReader) -> PackageKitSignal? {
    guard let id = reader.string().flatMap(PackageID.init), let paths = reader.strings() else { return nil }
    return .files(id, paths)
  }

  private static func size(_ reader: inout BusReader) -> PackageKitSignal? {
    var id: PackageID?
    var size: UInt64?
    let entries: [Void]? = reader.array { reader in
      reader.entry { entry -> Void? in
        let key = entry.string()
        _ = entry.variant { value -> Void? in
          switch key {
          case "package-id": id = value.string().flatMap(PackageID.init)
          case "size": size = value.uint64()
          default: break
          }
          return ()
        }
        return ()
      }
    }
    guard entries != nil, let id, let size else { return nil }
    return .size(id, size)
  }

  private static func itemProgress(_ reader: inout BusReader) -> PackageKitSignal? {
    guard reader.string().flatMap(PackageID.init) != nil, reader.uint32() != nil, let percent = reader.uint32(),
      percent <= 100
    else { return nil }
    return .itemProgress
  }

  private static func errorCode(_ reader: inout BusReader) -> PackageKitSignal? {
    guard let code = reader.uint32(), let text = reader.string() else { return nil }
    return .errorCode(code, text)
  }

  /// 101 means that it is not known.
  private static func percentage(_ reader: inout BusReader) -> PackageKitSignal? {
    guard reader.string() != nil else { return nil }
    let values = reader.array { reader in
      reader.entry { entry -> UInt32?? in
        let isPercentage = entry.string() == "Percentage"
        return .some(entry.variant { isPercentage ? $0.uint32() : nil })
      }
    }
    return values?.compactMap(\.self).first { $0 <= 100 }.map { .progress($0) }
  }
}
