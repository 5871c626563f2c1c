// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// The words of the command line: help, errors, completions.
  @Suite struct CommandLine {
    private static let commands: [[String]] = [
      ["run"], ["run", "yaml"], ["run", "empty"], ["graph"], ["graph", "yaml"], ["plugins"], ["plugins", "list"],
      ["plugins", "show"], ["plugins", "meta"],
    ]

    @Test("--version prints the version alone")
    func version() throws {
      let finished = try Mgmt.run(["--version"])
      #expect(finished.status == 0)
      #expect(finished.out.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(finished.out)")
      #expect(finished.err.isEmpty)
    }

    @Test("a command that is not complete prints its help", arguments: [[], ["run"], ["graph"], ["plugins"]])
    func incomplete(_ command: [String]) throws {
      let finished = try Mgmt.run(command)
      let help = try Mgmt.run(command + ["--help"])
      #expect(finished.status == 0)
      #expect(finished.out == help.out)
      #expect(finished.out.contains("USAGE: mgmt"))
      #expect(finished.err.isEmpty)
    }

    @Test("`mgmt help CMD` equals `mgmt CMD --help`", arguments: [[]] + commands)
    func help(_ command: [String]) throws {
      let asked = try Mgmt.run(["help"] + command)
      let flag = try Mgmt.run(command + ["--help"])
      let short = try Mgmt.run(command + ["-h"])
      #expect(asked.status == 0 && flag.status == 0 && short.status == 0)
      #expect(asked.out == flag.out && flag.out == short.out)
      #expect(flag.out.contains("USAGE: " + (["mgmt"] + command).joined(separator: " ")))
      #expect(asked.err.isEmpty && flag.err.isEmpty)
    }

    @Test("every command is in the help of the one above it", arguments: commands)
    func listed(_ command: [String]) throws {
      let above = try Mgmt.run(command.dropLast() + ["--help"])
      let word = try #require(command.last)
      #expect(
        above.out.split(separator: "\n").contains { $0.hasPrefix("  \(word) ") || $0.hasPrefix("  \(word), ") }, "\(above.out)")
    }

    @Test(
      "what is not understood ends with 1 and the usage on standard error",
      arguments: [
        (["frobnicate"], "'frobnicate'"), (["--frobnicate"], "'--frobnicate'"), (["run", "frobnicate"], "'frobnicate'"),
        (["run", "--frobnicate", "empty"], "'--frobnicate'"), (["run", "empty", "--frobnicate"], "'--frobnicate'"),
        (["run", "yaml"], "'<file>'"), (["run", "yaml", "a", "b"], "'b'"), (["graph", "yaml"], "'<file>'"),
        (["graph", "yaml", "--format", "png", "a"], "'png'"), (["plugins", "show"], "'<kind>'"),
        (["plugins", "list", "extra"], "'extra'"), (["run", "--converged-timeout", "soon", "empty"], "'soon'"),
        (["run", "--max-runtime", "-1", "empty"], "--max-runtime"), (["run", "--sema", "many", "empty"], "'many'"),
        (["run", "--hostname"], "--hostname"),
      ])
    func notUnderstood(_ arguments: [String], _ word: String) throws {
      let finished = try Mgmt.run(arguments, bound: 10)
      #expect(finished.status == 1)
      #expect(finished.out.isEmpty)
      #expect(finished.err.hasPrefix("error: "), "\(finished.err)")
      #expect(finished.err.contains(word), "\(finished.err)")
      #expect(finished.err.contains("\nUsage: mgmt"), "\(finished.err)")
      #expect(finished.err.contains("--help' for more information"), "\(finished.err)")
    }

    @Test(
      "options that exclude each other are refused before anything is done",
      arguments: [
        (["--converged-timeout=0", "--converger-timeout=0"], "--converged-timeout and --converger-timeout exclude"),
        (["--prefix=/nonexistent/x", "--tmp-prefix"], "--prefix and --tmp-prefix exclude"),
        (["--converged-exit"], "--converged-exit needs --converger-timeout"),
        (["--converged-exit", "--converger-timeout=-1"], "--converged-exit needs --converger-timeout"),
        (["--graphviz-filter=sh"], "not \"sh\""),
      ])
    func conflicts(_ options: [String], _ words: String) throws {
      for arguments in [["run"] + options + ["empty"], ["run", "empty"] + options] {
        let finished = try Mgmt.run(arguments, bound: 10)
        #expect(finished.status == 1)
        #expect(finished.out.isEmpty)
        #expect(finished.err.contains(words), "\(finished.err)")
      }
      #expect(access("/nonexistent", F_OK) != 0)
    }

    @Test("options may stand before and after the word of the frontend")
    func places() throws {
      let folder = try TemporaryFolder()
      let file = try folder.write("g.yaml", "graph: g\nresources:\n  noop:\n  - name: a\n")
      let options = ["--prefix", folder["state"], "--converged-timeout=0", "--json"]
      for arguments in [
        ["run"] + options + ["yaml", file], ["run", "yaml"] + options + [file], ["run", "yaml", file] + options,
        ["run", "--json", "yaml", "--converged-timeout", "0", file, "--prefix", folder["state"]],
      ] {
        let finished = try Mgmt.run(arguments, bound: 30)
        #expect(finished.status == 0, "\(arguments): \(finished.err)")
        let start = try #require(finished.out.split(separator: "\n").first)
        #expect(start.contains("\"event\":\"start\"") && start.contains("\"prefix\":\"\(folder["state"])\""), "\(start)")
        #expect(finished.out.contains("\"converged\":true"))
      }
    }

    @Test("an empty graph converges", arguments: [["--converged-timeout=0"], ["--converger-timeout=0", "--converged-exit"]])
    func empty(_ options: [String]) throws {
      let folder = try TemporaryFolder()
      let finished = try Mgmt.run(["run", "--prefix", folder["state"]] + options + ["empty"], bound: 30)
      #expect(finished.status == 0)
      #expect(finished.out.isEmpty)
      #expect(finished.err.contains("converged for 0 seconds, exiting!"), "\(finished.err)")
    }

    @Test("a kind that is not there is named with a suggestion")
    func unknownKind() throws {
      let finished = try Mgmt.run(["plugins", "show", "fiel"])
      #expect(finished.status == 1)
      #expect(finished.out.isEmpty)
      #expect(finished.err == "error: there is no kind \"fiel\"\n  hint: did you mean \"file\"?\n")
    }

    @Test("a host name that is none is refused", arguments: ["a b", "-a", "a..b", "a/b", String(repeating: "a", count: 64)])
    func hostname(_ name: String) throws {
      let folder = try TemporaryFolder()
      let finished = try Mgmt.run(["run", "--prefix", folder["state"], "--hostname=\(name)", "empty"], bound: 10)
      #expect(finished.status == 1)
      #expect(finished.err.contains("is not a host name"), "\(finished.err)")
      #expect(!folder.exists("state"))
    }

    @Test("a directory for state that cannot be made is an error; --allow-tmp-prefix helps")
    func prefix() throws {
      let folder = try TemporaryFolder()
      try folder.write("file", "")
      let arguments = ["run", "--prefix", folder["file/state"], "--converged-timeout=0", "empty"]
      let refused = try Mgmt.run(arguments, bound: 10)
      #expect(refused.status == 1)
      #expect(refused.err.contains("cannot be used") && refused.err.contains("--tmp-prefix"), "\(refused.err)")
      let allowed = try Mgmt.run(arguments + ["--allow-tmp-prefix"], environment: ["TMPDIR": folder.path], bound: 30)
      #expect(allowed.status == 0, "\(allowed.err)")
    }

    @Test("completions are there and are programs of their shells", arguments: ["bash", "zsh", "fish"])
    func completions(_ shell: String) throws {
      let folder = try TemporaryFolder()
      let finished = try Mgmt.run(["--generate-completion-script", shell])
      #expect(finished.status == 0)
      #expect(finished.err.isEmpty)
      for word in ["plugin-path", "converged-timeout", "plugins", "yaml"] { #expect(finished.out.contains(word), "\(word)") }
      let script = try folder.write("script", finished.out)
      guard let path = ["/bin/", "/usr/bin/"].map({ $0 + shell }).first(where: FileManager.default.isExecutableFile) else {
        return
      }
      let checked = try Mgmt.command([path, "-n", script])
      #expect(checked.status == 0 && checked.err.isEmpty, "\(checked.err)")
    }
  }
}
