// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Graph
import Testing
import Values

@testable import Engine

/// What is secret stays in the engine, whoever says that it is secret and wherever it goes.
@Suite("Secrets") struct SecretTests {
  private static let word = "hunter2"

  /// The resource says all it knows, in every way there is.
  private func tell(_ bench: Bench, _ names: String..., end: FakeFactory.End = .ok) {
    for name in names {
      bench.factory.script(name) {
        $0.always = end
        $0.says = { values in
          let text = values.compactMap(\.stringValue).joined(separator: " ")
          return (
            text,
            [
              Change(path: "text", was: .string("before"), will: values[0]),
              Change(path: "other", was: .unset, will: .string(text)),
            ]
          )
        }
      }
    }
  }

  /// All that was said about a resource, as one text.
  private func said(_ bench: Bench, _ name: String) -> String {
    bench.events.compactMap { event -> String? in
      switch event {
      case .checkEnded(let id, let outcome, _) where id.name == name:
        if case .failed(let reason) = outcome.status { "\(outcome.changes) \(reason.jsonObject)" } else { "\(outcome.changes)" }
      case .progress(let id, _, let text) where id.name == name: text
      case .log(_, let id, let text) where id?.name == name: text
      case .watchFailed(let id, let reason, _) where id.name == name: reason.jsonObject
      default: nil
      }
    }.joined(separator: "\n") + (bench.status(name)?.failure?.jsonObject ?? "")
  }

  private func expectMasked(_ bench: Bench, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let said = said(bench, name)
    #expect(said.contains("(secret)") && !said.contains(Self.word), "\(said)", sourceLocation: sourceLocation)
  }

  private func resource(_ kind: String, _ name: String, _ text: String, secret: [String] = []) -> Resource {
    thing(name, kind: kind, text: text) { $0.secret = secret }
  }

  @Test("what the kind says is secret, and what the graph says", arguments: [FakeFactory.End.ok, .changed, .failed])
  func marked(_ end: FakeFactory.End) throws {
    let bench = try Bench()
    tell(bench, "kind", "user", "plain", end: end)
    bench.apply([
      resource("secretive", "kind", Self.word), resource("thing", "user", Self.word, secret: ["text"]),
      resource("thing", "plain", Self.word),
    ])
    try bench.settle()
    expectMasked(bench, "kind")
    expectMasked(bench, "user")
    #expect(said(bench, "plain").contains(Self.word) && !said(bench, "plain").contains("(secret)"))
  }

  @Test("events show it where they may, the status does not")
  func shown() throws {
    let bench = try Bench { $0.showsSecrets = true }
    tell(bench, "a", end: .failed)
    bench.apply([resource("secretive", "a", Self.word)])
    try bench.settle()
    #expect(bench.events.contains { if case .log(_, _, let text) = $0 { text.contains(Self.word) } else { false } })
    #expect(bench.status("a")?.failure?.title == "a failed: (secret) x")
  }

  @Test("a graph is refused without quoting it")
  func refused() throws {
    let bench = try Bench()
    tell(bench, "a")
    bench.factory.script("a") { $0.isInvalid = { _ in true } }
    bench.apply([resource("secretive", "a", Self.word)])
    guard case .graphRejected(let reasons)? = bench.events.last else {
      Issue.record("it was not refused")
      return
    }
    #expect(reasons.map(\.title) == ["it is not valid: (secret) x"])
  }

  @Test("a name that is no parameter of the kind is refused")
  func unknown() throws {
    let bench = try Bench()
    bench.apply([resource("thing", "a", "", secret: ["txt"])])
    guard case .graphRejected(let reasons)? = bench.events.last else {
      Issue.record("it was not refused")
      return
    }
    #expect(reasons.map(\.code) == ["meta.secret"] && reasons.first?.hint == "did you mean \"text\"?")
  }

  @Test("what is received stays secret, from resource to resource, as long as it is what was sent")
  func received() throws {
    let bench = try Bench()
    tell(bench, "s", "r", "last", "plain")
    bench.apply(
      [resource("secretive", "s", Self.word), thing("r"), thing("last"), thing("plain")],
      [.send("s", "text", "r", "text"), .send("r", "text", "last", "text"), .send("s", "choice", "plain", "text")])
    try bench.settle()
    expectMasked(bench, "r")
    expectMasked(bench, "last")
    #expect(!said(bench, "plain").contains("(secret)"))
  }

  @Test("what a plugin marks, and what a graph marks among what is sent", arguments: [true, false])
  func sent(_ isMarkedByPlugin: Bool) throws {
    let bench = try Bench()
    tell(bench, "r")
    if isMarkedByPlugin { bench.factory.script("s") { $0.marks = [0] } }
    bench.apply(
      [resource("thing", "s", Self.word, secret: isMarkedByPlugin ? [] : ["text"]), thing("r")],
      [.send("s", "text", "r", "text")])
    try bench.settle()
    expectMasked(bench, "r")
    // Another value, which is no secret.
    bench.forget()
    bench.factory.script("s") {
      $0.marks = []
      $0.sends = { _ in [.string("public word"), .unset, .unset, .unset] }
    }
    bench.factory.event("s")
    try bench.settle()
    if isMarkedByPlugin { #expect(said(bench, "r").contains("public word")) } else { expectMasked(bench, "r") }
  }

  @Test("a member's secret is kept by its leader")
  func groups() throws {
    let bench = try Bench()
    tell(bench, "a", end: .failed)
    bench.factory.script("a") {
      $0.says = { _ in
        (
          Self.word,
          [
            Change(path: "group[b]#text", was: .unset, will: .string("it is")),
            Change(path: "text", was: .unset, will: .string("open")),
          ]
        )
      }
    }
    bench.apply([resource("group", "a", "x"), resource("group", "b", Self.word, secret: ["text"])])
    try bench.settle()
    #expect(bench.status("b")?.leader?.name == "a")
    expectMasked(bench, "a")
    expectMasked(bench, "b")
  }
}
