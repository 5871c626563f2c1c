// SPDX-License-Identifier: Apache-2.0

import Testing
import Values

@testable import PluginHost

@Suite struct KindPageTests {
  @Test func documentationHasSections() {
    let text = "What for.\n\nMore.\n## Watching\n\nBy signals.\n\n## Example\n\n```yaml\n## no title\n```\n\n### Below\n"
    let documentation = KindDocumentation(text)
    #expect(documentation.introduction == "What for.\n\nMore.")
    #expect(documentation.examples == [.init(title: "Example", body: "```yaml\n## no title\n```\n\n### Below")])
    #expect(documentation.others == [.init(title: "Watching", body: "By signals.")])
    #expect(KindDocumentation.plain("a\n\n```yaml\nb:\n\n- c\n```\nd") == "a\n\n  b:\n\n  - c\nd")
  }

  @Test(arguments: ["", "\n\n", "One\nand two.", "```\n## open", "##x"])
  func textWithoutSectionsIsTheIntroduction(_ text: String) {
    let documentation = KindDocumentation(text)
    #expect(documentation.introduction == (text.hasPrefix("\n") ? "" : text))
    #expect(documentation.examples.isEmpty && documentation.others.isEmpty)
  }

  @Test(arguments: ["## ", "## \n\n## ", "##  A \n## Examples\n"])
  func sectionsMayBeEmpty(_ text: String) {
    let documentation = KindDocumentation(text)
    #expect(documentation.introduction.isEmpty)
    #expect((documentation.examples + documentation.others).allSatisfy { $0.body.isEmpty && $0.title.count < 9 })
  }

  @Test func cellsStayCells() {
    #expect(Markdown.row([#"a\|b"#]) == #"| a\\\|b |"# + "\n")
    #expect(Markdown.row(["a|b", "two\nlines", Markdown.code("`|`")]) == "| a\\|b | two lines | `` `\\|` `` |\n")
    #expect(Value.float(.infinity).written == ".inf" && Value.float(-.infinity).written == "-.inf")
  }

  @Test func page() {
    var kind = DescriptorEncodingTests.rich.kinds[0]
    kind.schema.documentation = "What for.\n\n## Watching\n\nBy signals.\n\n## Example\n\n```yaml\na: b\n```"
    kind.schema.parameters = Array(kind.schema.parameters.prefix(3))
    kind.schema.parameters[0].documentation = "This|that."
    kind.schema.parameters[1].documentation = "Two\nlines."
    let page = KindPage(kind: kind, plugin: DescriptorEncodingTests.rich).text
    #expect(
      page == """
        # a:b

        What for.

        ## Example

        ```yaml
        a: b
        ```

        ## Parameters

        | parameter | type | default | meaning |
        |---|---|---|---|
        | `s` | `str` | the resource's name | This\\|that. One of `"x"`, `""`. A secret: it is never shown. |
        | `r` | `[]str` | required | Two lines. |
        | `f` | `float` | `-0.5` |  |

        ## Sends

        | field | type | meaning |
        |---|---|---|
        | `out` | `str` |  |

        ## Traits

        | trait |  | meaning |
        |---|---|---|
        | watch | yes | it waits for changes, and each leads to a check |
        | refresh | yes | a notification makes it do something |
        | identities | no | others come after it, or before it, only where an edge is written |
        | automatic edges | no | it does not look for others to come after, or before |
        | grouping | no | each is checked by itself |
        | update | no | with received values it is made anew |
        | reverse | yes | with the meta parameter `reverse`, what it changed is put back |
        | sends | yes | others can receive the fields above |

        ## Watching

        By signals.

        ---

        Plugin rich 2.0-beta, MIT, ABI 1.0. This page is what `mgmt plugins show a:b --markdown` prints.

        """)
    let empty = KindPage(kind: DescriptorEncodingTests.rich.kinds[1], plugin: DescriptorEncodingTests.rich).text
    #expect(empty.hasPrefix("# empty\n\n## Parameters\n\nThere are none.\n\n## Traits\n"))
  }

  @Test func aSecretDefaultIsNotShown() {
    var kind = DescriptorEncodingTests.rich.kinds[0]
    kind.schema.parameters = [.init(name: "s", type: .string, defaultValue: .string("hunter2"), isSecret: true)]
    let page = KindPage(kind: kind, plugin: DescriptorEncodingTests.rich).text
    #expect(page.contains("| `s` | `str` | (hidden) |") && !page.contains("hunter2"))
  }

  @Test func metaParameters() {
    #expect(MetaListing.markdown.contains("| `retry` | `int` | `0` | -1 to 32767 | how often "))
    #expect(MetaListing.markdown.contains("| `limit` | `float` | `.inf` |"))
    #expect(MetaListing.text.contains("\n  autoedge  bool  (default: true)\n      take part in automatic edges\n"))
    #expect(MetaListing.json.hasPrefix("{\"metaParameters\":[{\"name\":\"noop\",\"type\":\"bool\",\"default\":false,"))
  }
}
