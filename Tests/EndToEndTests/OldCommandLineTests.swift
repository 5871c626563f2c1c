// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// Command lines as articles about old versions have them: they work, or say what is not there yet.
  @Suite struct OldCommandLines {
    private let folder: TemporaryFolder

    init() throws {
      folder = try TemporaryFolder()
      try folder.makeFolder("examples")
      for name in ["graph0", "autogroup2", "graph3c", "autoedges3"] { try folder.write("examples/\(name).yaml", Self.graph) }
      try folder.write("graph8.yaml", Self.graph)
    }

    private static let graph = "graph: g\nresources:\n  noop:\n  - name: a\n"

    private func run(_ line: String) throws -> Finished {
      let words = line.split(separator: " ").map(String.init)
      return try Mgmt.run(Array(words.dropFirst()), in: folder, environment: ["MGMT_PREFIX": folder["state"]], bound: 30)
    }

    @Test(
      "they run the graph and exit when converged",
      arguments: [
        "mgmt run --file examples/autogroup2.yaml --converged-timeout=0",
        "mgmt run --file examples/graph0.yaml --converged-timeout=0",
        "mgmt run --file graph8.yaml --converged-timeout=1 --graphviz=example1.dot",
        "mgmt run --file examples/graph3c.yaml --hostname c --converged-timeout=1",
        "mgmt run -f examples/autoedges3.yaml -t 0", "mgmt run --yaml examples/graph0.yaml --converged-timeout 0",
        "mgmt r --no-pgp -t 0 yaml examples/graph0.yaml", "mgmt run --tmp-prefix -t 0 empty",
        "mgmt run --converged-status-file status --converged-timeout=0 --file graph8.yaml",
        "mgmt run --no-server --no-network --no-magic --no-deploy-watch --no-raise-limits -t 0 --file graph8.yaml",
        "mgmt run --no-config-watch --no-stream-watch -g x.dot -gf neato -t 0 --file graph8.yaml",
        "mgmt run --exittime 20 -t 0 --file graph8.yaml",
      ])
    func works(_ line: String) throws {
      let finished = try run(line)
      #expect(finished.status == 0, "\(finished.err)")
      #expect(finished.err.contains("graph: Vertices(\(line.hasSuffix("empty") ? 0 : 1))"), "\(finished.err)")
      if line.contains("status") { #expect(folder.read("status") == "true\n") }
      if line.contains("--graphviz") { #expect(folder.read("example1.dot")?.hasPrefix("digraph") == true) }
    }

    @Test("without a timeout they run until they are stopped; with --converged-timeout-no-exit too")
    func goesOn() throws {
      for options in [[], ["--converged-timeout=0", "--converged-timeout-no-exit"]] {
        let running = try Running(
          [Mgmt.binary, "run", "--json", "--prefix", folder["state"], "--file", folder["graph8.yaml"]] + options)
        #expect(poll { running.out.contains("\"check-ended\"") }, "\(running.err)")
        running.signal(SIGINT)
        let finished = try running.wait()
        #expect(finished.status == 0 && !finished.err.contains("exiting!"), "\(finished.err)")
      }
    }

    @Test(
      "what is not there yet is named, and is an error",
      arguments: [
        ("mgmt deploy --seeds http://127.0.0.1:2379 lang examples/lang/env1.mcl", "`mgmt deploy`"),
        ("mgmt deploy --no-git --seeds http://127.0.0.1:2379 lang x.mcl", "`mgmt deploy`"), ("mgmt deploy", "`mgmt deploy`"),
        ("mgmt deploy --help", "`mgmt deploy`"), ("mgmt deploy help", "`mgmt deploy`"), ("mgmt help deploy", "`mgmt deploy`"),
        ("mgmt etcd --help", "`mgmt etcd`"),
        ("mgmt run --file examples/etcd1a.yaml --hostname h1 --ideal-cluster-size 3", "`--ideal-cluster-size`"),
        ("mgmt run --hostname h1 --ideal-cluster-size 3 yaml examples/yaml/etcd1a.yaml", "`--ideal-cluster-size`"),
        ("mgmt run --remote examples/remote2a.yaml --remote examples/remote2b.yaml --tmp-prefix", "`--remote`"),
        (
          "mgmt run --hostname 192.168.121.201 --no-server --seeds http://127.0.0.1:2379 --file graph8.yaml --depth 1",
          "`--seeds`"
        ),
        ("mgmt run --seeds=http://127.0.0.1:2379 --hostname h2 empty", "`--seeds`"), ("mgmt run -s x empty", "`-s`"),
        ("mgmt run lang examples/lang/env1.mcl", "`mgmt run lang`"),
        ("mgmt run --tmp-prefix lang --download x.mcl", "`mgmt run lang`"),
        ("mgmt run --lang x.mcl", "`--lang`"), ("mgmt run --puppet agent", "`--puppet`"),
        ("mgmt run puppet agent", "`mgmt run puppet`"),
      ])
    func isNotThereYet(_ line: String, _ words: String) throws {
      let finished = try run(line)
      #expect(finished.status == 1, "\(finished)")
      #expect(finished.out.isEmpty, "\(finished.out)")
      #expect(finished.err.hasPrefix("error: \(words) is not in this version yet\n"), "\(finished.err)")
      #expect(!finished.err.contains("Usage"), "\(finished.err)")
      #expect(!folder.exists("state"))
    }

    @Test("`help` and `h` show help, also behind a command; a word that is no command is an error")
    func help() throws {
      let help = try run("mgmt --help")
      for line in ["mgmt help", "mgmt h"] { #expect(try run(line).out == help.out) }
      let runHelp = try run("mgmt run --help")
      for line in ["mgmt help run", "mgmt h run", "mgmt help r", "mgmt run help", "mgmt r h"] {
        let finished = try run(line)
        #expect(finished.status == 0 && finished.out == runHelp.out, "\(line): \(finished)")
      }
      for (line, words) in [
        ("mgmt help bogus", "there is no command \"bogus\""), ("mgmt help rnu", "did you mean \"run\"?"),
        ("mgmt help run bogus", "there is no command \"bogus\""), ("mgmt help run yaml x", "there is no command \"x\""),
      ] {
        let finished = try run(line)
        #expect(finished.status == 1 && finished.out.isEmpty && finished.err.contains(words), "\(line): \(finished)")
      }
    }

    @Test("--file and a frontend exclude each other")
    func twoGraphs() throws {
      for line in ["mgmt run --file graph8.yaml yaml graph8.yaml", "mgmt run --file graph8.yaml empty"] {
        let finished = try run(line)
        #expect(finished.status == 1 && finished.err.contains("exclude each other"), "\(finished.err)")
      }
    }
  }
}
