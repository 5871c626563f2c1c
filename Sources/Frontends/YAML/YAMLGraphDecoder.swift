// SPDX-License-Identifier: Apache-2.0

public import Diagnostics
import Graph
public import Values

/// Makes a resource graph of a YAML text; docs/yaml.md has the format. Pure: no file is opened.
public enum YAMLGraphDecoder {
  /// So many errors are looked for before giving up.
  public static let maximumErrors = 20

  /// Decodes and checks. `file` is the name used in diagnostics. The error holds all that could be found, in the order of the
  /// text, with excerpts.
  public static func decode(bytes: [UInt8], file: String, catalog: any KindCatalog) -> Result<FrontendGraph, MgmtError> {
    bytes.withUnsafeBufferPointer { buffer in
      do throws(MgmtError) {
        let decoding = YAMLDecoding(reader: try YAMLReader(bytes: buffer, file: file), catalog: catalog)
        let result = decoding.run()
        guard !decoding.errors.isEmpty || !decoding.warnings.isEmpty else { return .success(result) }
        // Only now the lines of the text are needed.
        let text = SourceText(bytes)
        let isHidden = { (line: Int) in decoding.secretLines.contains { $0.contains(line) } }
        func finish(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
          diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.addExcerpts(from: text, file: file, isHidden: isHidden)
            return diagnostic
          }
        }
        guard decoding.errors.isEmpty else { return .failure(MgmtError(finish(decoding.errors))) }
        var graph = result
        graph.warnings = finish(decoding.warnings)
        return .success(graph)
      } catch {
        return .failure(error)
      }
    }
  }
}

/// The state of one decoding. It reads the outer shape event by event and each resource and edge as a small tree.
final class YAMLDecoding {
  let reader: YAMLReader
  let catalog: any KindCatalog
  /// The tree that is read at the moment. Its use is in single statements, so checks of exclusive access are left out.
  @exclusivity(unchecked) var nodes: [YAMLNode] = []

  private(set) var errors: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []
  /// Kinds, in lower case, that were reported as unknown.
  var unknownKinds: Set<String> = []
  /// Lines, counted from 1, that must not be shown.
  var secretLines: [ClosedRange<Int>] = []

  var result = FrontendGraph(graph: ResourceGraph())
  var pendingEdges: [PendingEdge] = []
  var missingParameters: [MissingParameter] = []
  var received: Set<ReceivedParameter> = []
  /// Positions of the first `indexed` resources, made when the first edge is read.
  var index: [ResourceID: Int] = [:]
  var indexed = 0
  /// Positions of edges by their ends: from in the upper half, to in the lower.
  var edgeIndex: [UInt64: Int32] = [:]
  var kinds: [String: KindPlan] = [:]
  var hasName = false

  init(reader: YAMLReader, catalog: any KindCatalog) {
    self.reader = reader
    self.catalog = catalog
  }

  func run() -> FrontendGraph {
    do throws(MgmtError) {
      try readStream()
      try resolveEdges()
      try reportMissingParameters()
    } catch {
      errors += error.diagnostics
      sortErrors()
      return result
    }
    let found =
      result.graph.check() + result.graph.checkTransfers(catalog: catalog)
      + result.graph.checkSecrets(catalog: catalog)
    errors += found.prefix(YAMLGraphDecoder.maximumErrors - min(errors.count, YAMLGraphDecoder.maximumErrors))
    sortErrors()
    return result
  }

  // MARK: Diagnostics

  /// Keeps an error and goes on; throws when there are too many.
  func report(_ diagnostic: Diagnostic) throws(MgmtError) {
    guard errors.count < YAMLGraphDecoder.maximumErrors else {
      throw MgmtError(Diagnostic("yaml.more", severity: .note, "there may be more errors: only the first are shown"))
    }
    errors.append(diagnostic)
  }

  func warn(_ diagnostic: Diagnostic) {
    if warnings.count < YAMLGraphDecoder.maximumErrors { warnings.append(diagnostic) }
  }

  /// In the order of the text; those without a place at the end.
  private func sortErrors() {
    func place(_ diagnostic: Diagnostic) -> (Int, Int) {
      guard let start = diagnostic.labels.first?.span.start else { return (.max, .max) }
      return (start.line, start.column)
    }
    let order = errors.indices.sorted {
      place(errors[$0]) == place(errors[$1]) ? $0 < $1 : place(errors[$0]) < place(errors[$1])
    }
    errors = order.map { errors[$0] }
  }
}

/// A word of the input as it is shown in a message: quoted, escaped and not too long.
func quoted(_ text: String) -> String {
  let scalars = text.unicodeScalars
  guard let end = scalars.index(scalars.startIndex, offsetBy: 60, limitedBy: scalars.endIndex), end != scalars.endIndex else {
    return Value.quote(text)
  }
  return Value.quote(String(scalars[..<end])) + "…"
}
