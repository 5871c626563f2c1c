// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// The installed tree: it runs from any place, on a machine without a toolchain.
  @Suite struct Install {
    private static let kinds = ["exec", "file", "noop", "pkg", "print", "svc", "test", "timer"]
    private static let environment = ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin"]

    /// A copy of the staged tree in another place, under a name with a space.
    private func moved() throws -> TemporaryFolder {
      let folder = try TemporaryFolder()
      let copied = try Mgmt.command(["/bin/cp", "-a", Mgmt.stage, folder["another place"]])
      try #require(copied.status == 0, "\(copied.err)")
      return folder
    }

    private func files(_ root: String, where isWanted: (String) -> Bool) -> [String] {
      (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []).filter(isWanted).map {
        root + "/" + $0
      }
    }

    @Test("everything is where it belongs, with the rights it needs and no more")
    func contents() throws {
      let expected: [(path: String, mode: mode_t)] =
        [
          ("bin/mgmt", 0o755), ("lib/mgmt/libMgmtPluginKit.so", 0o755), ("lib/mgmt/resources", 0o755),
          ("include/mgmt/plugin.h", 0o644), ("share/bash-completion/completions/mgmt", 0o644),
          ("share/zsh/site-functions/_mgmt", 0o644), ("share/fish/vendor_completions.d/mgmt.fish", 0o644),
        ] + Self.kinds.map { ("lib/mgmt/resources/\($0).so", 0o755) }
      for (path, mode) in expected {
        var status = stat()
        #expect(lstat(Mgmt.stage + "/" + path, &status) == 0, "\(path)")
        #expect(status.st_mode & 0o7777 == mode && status.st_size > 0, "\(path)")
      }
      #expect(files(Mgmt.stage) { $0.hasSuffix(".new") }.isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: Mgmt.stage + "/lib/mgmt/resources").count == Self.kinds.count)
      #expect(!files(Mgmt.stage + "/share/man/man1") { $0.hasPrefix("mgmt") && $0.hasSuffix(".1") }.isEmpty)
      let header = try Data(contentsOf: URL(filePath: Mgmt.stage + "/include/mgmt/plugin.h"))
      let source = try Data(contentsOf: URL(filePath: Mgmt.repository + "/Sources/PluginABI/include/mgmt/plugin.h"))
      #expect(header == source)
    }

    @Test("a copy in another place works without a toolchain and without an environment")
    func elsewhere() throws {
      let folder = try moved()
      let mgmt = folder["another place/bin/mgmt"]
      let version = try Mgmt.command(Self.environment + [mgmt, "--version"])
      let expected = try Mgmt.run(["--version"])
      #expect(version.status == 0 && version.out == expected.out, "\(version.err)")

      let list = try Mgmt.command(Self.environment + ["MGMT_PREFIX=\(folder["state"])", mgmt, "plugins", "list"])
      #expect(list.status == 0)
      for kind in Self.kinds {
        #expect(list.out.contains(" usable  \(folder.path)/another place/lib/mgmt/resources/\(kind).so\n"), "\(list.out)")
      }

      try folder.write(
        "g.yaml",
        """
        graph: g
        resources:
          file:
          - name: \(folder["f"])
            state: exists
            content: hello
          exec:
          - name: x
            cmd: /usr/bin/touch \(folder["touched"])
            creates: \(folder["touched"])
        edges:
        - name: e
          from: {kind: file, name: \(folder["f"])}
          to: {kind: exec, name: x}

        """)
      let run = try Mgmt.command(
        Self.environment + [mgmt, "run", "--prefix", folder["state"], "--converged-timeout=0", "yaml", folder["g.yaml"]])
      #expect(run.status == 0, "\(run.err)")
      #expect(folder.read("f") == "hello" && folder.exists("touched"))
    }

    @Test("the program is found through a link, and finds its plugins")
    func link() throws {
      let folder = try moved()
      #expect(symlink(folder["another place/bin/mgmt"], folder["mgmt"]) == 0)
      let list = try Mgmt.command(Self.environment + ["MGMT_PREFIX=\(folder["state"])", folder["mgmt"], "plugins", "list"])
      #expect(list.status == 0 && list.out.contains("/another place/lib/mgmt/resources/file.so\n"), "\(list.out)\(list.err)")
    }

    @Test(
      "no library is looked for at an absolute place; all that are needed are there or of the system",
      .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/readelf"), "there is no readelf"))
    func runPaths() throws {
      let libraries = files(Mgmt.stage + "/lib") { $0.hasSuffix(".so") }
      #expect(libraries.count > Self.kinds.count)
      for file in [Mgmt.binary] + libraries {
        let dynamic = try Mgmt.command(["/usr/bin/readelf", "-d", file])
        #expect(dynamic.status == 0)
        for line in dynamic.out.split(separator: "\n") where line.contains("(RUNPATH)") || line.contains("(RPATH)") {
          let value = line.split(separator: "[").last.map { $0.prefix { $0 != "]" } } ?? ""
          for part in value.split(separator: ":", omittingEmptySubsequences: false) {
            #expect(part.hasPrefix("$ORIGIN"), "\(file): \(value)")
          }
        }
        // The directories of the tree and the system's, nothing of a toolchain.
        let needed = try Mgmt.command(Self.environment + ["/usr/bin/ldd", file])
        #expect(!needed.out.contains("not found"), "\(file): \(needed.out)")
        for line in needed.out.split(separator: "\n") where line.contains("libswift") {
          #expect(line.contains("=> " + Mgmt.stage + "/"), "\(file): \(line)")
        }
      }
    }
  }
}
