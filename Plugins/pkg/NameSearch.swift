// SPDX-License-Identifier: Apache-2.0

import PluginKit

/// Names that are offered and have parts of names that cannot be found: one `SearchNames` for all of these, and no other for them
/// until something changes. [reactor]
final class NameSearch {
  typealias Found = (_ names: [String]) -> Void

  private let client: PackageKitClient
  /// What was searched for, and what has it.
  private var parts: Set<String> = []
  private var names: Set<String> = []
  private var running: Question?

  private final class Question {
    let parts: Set<String>
    var waiters: [Found] = []
    init(_ parts: Set<String>) { self.parts = parts }
  }

  /// Of more other names a search does not take care.
  private static let companions = 50

  init(client: PackageKitClient) { self.client = client }

  /// What is asked from now on is asked anew.
  func forget() {
    parts = []
    names = []
    running = nil
  }

  /// `found` gets names that may be near to these, none if PackageKit does not tell; it may be called before this returns. `others`:
  /// names that will be asked for next. The question is not taken back: others may wait for the answer.
  func search(near wanted: [String], others: [String], _ found: @escaping Found) {
    let asked = Set(wanted.flatMap { NearNames.parts(of: $0) })
    if parts.isSuperset(of: asked) { return found(names.sorted()) }
    if let running, running.parts.isSuperset(of: asked) { return running.waiters.append(found) }
    let more = others.map { NearNames.parts(of: $0) }.filter { !parts.isSuperset(of: $0) }.prefix(Self.companions)
    let question = Question(asked.union(more.joined()))
    question.waiters = [found]
    running = question
    client.run(.searchNames(question.parts.sorted())) { [weak self] outcome in
      let answer = (try? outcome.get()).map { Set($0.packages.map(\.id.name)) }
      self?.keep(answer, of: question)
      for waiter in question.waiters { waiter((answer ?? []).sorted()) }
    }
  }

  private func keep(_ answer: Set<String>?, of question: Question) {
    // Forgotten meanwhile, or another was asked after it.
    guard running === question else { return }
    running = nil
    guard let answer else { return }
    parts.formUnion(question.parts)
    names.formUnion(answer)
  }
}
