// SPDX-License-Identifier: Apache-2.0

import Graph
import Values

/// What puts back the changes of a resource, as it is kept on disk until the resource has left the graph.
struct ReversalRecord: Sendable, Equatable {
  /// Of the resource that made the changes.
  var id: ResourceID
  /// What that resource was: a later one of the same name that is something else does not take its place.
  var identities: [Identity]
  var resource: ReversedResource
  var retry: Int16 = 0
  var delay: UInt64 = 0
  var timeout: UInt64 = 0
  var semaphores: [String] = []
  /// The meta parameter `secret`.
  var secrets: [String] = []

  struct Identity: Sendable, Hashable {
    var space: String
    var key: String
  }

  private static let magic: UInt32 = 0x5652_474d  // "MGRV"
  private static let version: UInt8 = 2
  static let maximumBytes = 64 << 20

  init(id: ResourceID, identities: [Identity], resource: ReversedResource) {
    self.id = id
    self.identities = identities
    self.resource = resource
  }

  // MARK: Bytes

  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.write(Self.magic)
    writer.write(Self.version)
    writer.write(id.kind)
    writer.write(id.name)
    writer.count(identities.count)
    for identity in identities {
      writer.write(identity.space)
      writer.write(identity.key)
    }
    writer.write(resource.kind)
    writer.write(resource.name)
    writer.count(resource.parameters.count)
    for parameter in resource.parameters {
      writer.write(parameter.name)
      writer.write(parameter.value)
    }
    writer.write(UInt16(bitPattern: retry))
    writer.write(delay)
    writer.write(timeout)
    writer.count(semaphores.count)
    for id in semaphores { writer.write(id) }
    writer.count(secrets.count)
    for name in secrets { writer.write(name) }
    return Self.sealed(writer.bytes)
  }

  /// With a checksum at the end.
  static func sealed(_ bytes: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(checksum(bytes[...]))
    return bytes + writer.bytes
  }

  /// The bytes may be anything.
  init(_ bytes: [UInt8]) throws(ByteError) {
    guard bytes.count > 8 else { throw ByteError(offset: bytes.count) }
    var tail = ByteReader(Array(bytes.suffix(8)))
    guard try tail.number(UInt64.self) == Self.checksum(bytes.dropLast(8)) else { throw ByteError(offset: bytes.count - 8) }
    var reader = ByteReader(Array(bytes.dropLast(8)))
    guard try reader.number(UInt32.self) == Self.magic else { throw ByteError(offset: 0) }
    let version = try reader.number(UInt8.self)
    guard (1...Self.version).contains(version) else { throw ByteError(offset: 4) }
    let limit = Self.maximumBytes
    id = ResourceID(kind: try reader.text(atMost: limit), name: try reader.text(atMost: limit))
    identities = []
    for _ in 0..<(try reader.count(atMost: 10_000)) {
      identities.append(Identity(space: try reader.text(atMost: limit), key: try reader.text(atMost: limit)))
    }
    resource = ReversedResource(kind: try reader.text(atMost: limit), name: try reader.text(atMost: limit), parameters: [])
    var budget = 1 << 20
    for _ in 0..<(try reader.count(atMost: 10_000)) {
      let name = try reader.text(atMost: limit)
      resource.parameters.append(
        .init(name: name, value: try reader.value(depth: 0, budget: &budget, textLimit: limit)))
    }
    retry = Int16(bitPattern: try reader.number(UInt16.self))
    delay = try reader.number(UInt64.self)
    timeout = try reader.number(UInt64.self)
    for _ in 0..<(try reader.count(atMost: 10_000)) { semaphores.append(try reader.text(atMost: limit)) }
    if version > 1 { for _ in 0..<(try reader.count(atMost: 10_000)) { secrets.append(try reader.text(atMost: limit)) } }
    try reader.end()
  }

  /// FNV-1a: against torn writes and disks, not against people, who cannot write here.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return sum
  }

  // MARK: The resource

  /// The resource that does it, by the schema of its kind as it is now. Parameters the kind does not have any more are named.
  func makeResource(_ schema: KindSchema) -> (resource: Resource, unknown: [String]) {
    var parameters = schema.parameters.map(\.defaultValue)
    var unknown: [String] = []
    for field in resource.parameters {
      guard let position = schema.position(of: field.name) else {
        unknown.append(field.name)
        continue
      }
      let value = schema.parameters[position].type.naming(field.value)
      if schema.parameters[position].type.admits(value) { parameters[position] = value } else { unknown.append(field.name) }
    }
    var meta = MetaParameters(semaphores: semaphores)
    (meta.retry, meta.delay, meta.timeout, meta.secret) = (retry, delay, timeout, secrets)
    return (Resource(id: ResourceID(kind: resource.kind, name: resource.name), parameters: parameters, meta: meta), unknown)
  }
}
