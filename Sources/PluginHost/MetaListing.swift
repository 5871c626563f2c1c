// SPDX-License-Identifier: Apache-2.0

import Graph
import Values

/// What `mgmt plugins meta` prints: the meta parameters, as text for people, JSON for programs, and a page of the reference.
public enum MetaListing {
  private static let purpose = "How the engine treats a resource, whatever its kind."

  private static let example = """
    graph: meta
    resources:
      exec:
      - name: fetch
        cmd: /usr/bin/true
        meta:
          retry: 5
          delay: 2000
          sema: ["network:2"]
    """

  public static var text: String {
    var text = "meta\n  \(purpose) They stand under `meta` of a resource.\n\nMeta parameters\n"
    for parameter in MetaParameters.schema {
      var remarks = ["default: " + parameter.defaultValue.written]
      if !parameter.range.isEmpty { remarks.append(parameter.range) }
      text += "  \(parameter.name)  \(parameter.type)  (\(remarks.joined(separator: "; ")))\n      \(parameter.documentation)\n"
    }
    return text
  }

  /// One object with `metaParameters`, each with name, type, default, allowed values and documentation. A default without limit is null.
  public static var json: String {
    var json = JSONWriter()
    json.object { json in
      json.array("metaParameters") { json in
        for parameter in MetaParameters.schema {
          json.object { json in
            json.member("name", parameter.name)
            json.member("type", parameter.type.description)
            json.member("default", parameter.defaultValue)
            json.member("range", parameter.range)
            json.member("documentation", parameter.documentation)
          }
        }
      }
    }
    json.newline()
    return json.text
  }

  public static var markdown: String {
    let rows = MetaParameters.schema.map { parameter in
      [
        Markdown.code(parameter.name), Markdown.code(parameter.type.description), Markdown.code(parameter.defaultValue.written),
        parameter.range, parameter.documentation,
      ]
    }
    return """
      # Meta parameters

      \(purpose) They stand under `meta` of a resource.

      ## Example

      ```yaml
      \(example)
      ```

      ## Parameters

      \(Markdown.table(["meta parameter", "type", "default", "allowed", "meaning"], rows))
      ---

      This page is what `mgmt plugins meta --markdown` prints.

      """
  }
}
