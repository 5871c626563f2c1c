// SPDX-License-Identifier: Apache-2.0

import PluginKit
import Testing

@Suite struct NearNamesTests {
  @Test func nearest() {
    #expect(NearNames.of("cowsya", in: ["cowsay", "cowsay", "sl", "powertop"]) == ["cowsay"])
    #expect(NearNames.of("apche2", in: ["apache2", "apache", "apache2-bin"]) == ["apache2", "apache"])
    #expect(NearNames.of("abcdefgh", in: ["abcdefgi", "abcdefhg", "abcdefg", "abcdef", "zyxwvuts"]).count == 3)
  }

  /// How many letters may be wrong depends on how many there are.
  @Test func bounds() {
    #expect(NearNames.of("slx", in: ["sl", "s"]) == ["sl"])
    #expect(NearNames.of("abcd", in: ["abxy", "axyz"]) == ["abxy"])
    #expect(NearNames.of("abcdefgh", in: ["abcdexyz", "abcdwxyz"]) == ["abcdexyz"])
    #expect(NearNames.of("sl", in: ["sl"]).isEmpty)
    #expect(NearNames.of("", in: ["", "ab"]).isEmpty)
  }

  /// Swapped neighbours count once, and what is swapped is not changed again.
  @Test func swaps() {
    #expect(NearNames.of("ab", in: ["ba"]) == ["ba"])
    #expect(NearNames.of("ca", in: ["abc"]).isEmpty)
  }

  @Test func partOfTheName() {
    let stem: (String) -> Substring = { $0.prefix { $0 != "." } }
    #expect(
      NearNames.of("cron.timer", in: ["cron.service", "crond.a-long-suffix"], comparing: stem) == [
        "cron.service", "crond.a-long-suffix",
      ])
  }
}
