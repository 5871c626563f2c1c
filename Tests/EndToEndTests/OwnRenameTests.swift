// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
  /// What one resource writes is news to those that read it, and what somebody puts in its place is news to all.
  @Suite struct OwnRenames {
    @Test("30 edits of a file's content: what is made of it follows each time, without an edge")
    func readers() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("d")
      try folder.write("d/b", "b\n")
      func graph(_ number: Int) -> String {
        var graph = GraphText()
        graph.add("file", "source", ["path": folder["source"], "state": "exists", "source": folder["d/a"]], meta: Self.alone)
        graph.add(
          "file", "joined", ["path": folder["joined"], "state": "exists", "fragments": [folder["d/a"]]], meta: Self.alone)
        graph.add(
          "file", "all", ["path": folder["all"], "state": "exists", "fragments": [folder["d"] + "/"]], meta: Self.alone)
        graph.add(
          "file", "copy", ["path": folder["copy"] + "/", "state": "exists", "source": folder["d"] + "/", "recurse": true],
          meta: Self.alone)
        graph.file(folder["d/a"], "\(number)\n", meta: Self.alone)
        return graph.text
      }
      try folder.write("d/a", "0\n")
      // More than twenty repairs within two seconds would be a fight.
      for first in [1, 16] {
        let agent = try AgentProcess(folder, graph: graph(first - 1))
        agent.expectConverged()
        for number in first..<first + 15 {
          try agent.edit(graph(number))
          #expect(
            poll {
              folder.read("source") == "\(number)\n" && folder.read("joined") == "\(number)\n"
                && folder.read("all") == "\(number)\nb\n" && folder.read("copy/a") == "\(number)\n"
            }, "edit \(number): \(["source", "joined", "all", "copy/a"].map { folder.read($0) ?? "" })")
        }
        #expect(try agent.stop().status == 0)
      }
    }

    private static let alone = "autoedge: false"

    static let perl = "/usr/bin/perl"
    static let canSteal = Mgmt.isRoot && access(perl, X_OK) == 0 && access("/usr/bin/setpriv", X_OK) == 0

    /// Renames files of its own over every temporary file it sees, until it is told to stop or for 20 seconds.
    private static let thief = """
      my ($d, $stop) = @ARGV; my $end = time + 20; my $n = 0;
      while (time < $end && !-e $stop) {
        opendir(my $h, $d) or die;
        for my $name (readdir $h) {
          next unless $name =~ /^\\.mgmt-/;
          open(my $f, ">", "$d/mine") or next; print $f "stolen\\n"; close $f;
          $n++ if rename("$d/mine", "$d/$name");
        }
        closedir $h;
      }
      unlink "$d/mine"; print "$n\\n";
      """

    @Test(
      "another user swaps the temporary files in his directory: in the end it is our file with our contents",
      .enabled(if: canSteal, "needs root, setpriv and perl"))
    func thief() throws {
      let folder = try TemporaryFolder()
      try folder.makeFolder("d")
      #expect(chown(folder["d"], 65534, 65534) == 0)
      func content(_ number: Int) -> String { String(repeating: "\(number)\n", count: 200_000) }
      func graph(_ number: Int) -> String {
        var graph = GraphText()
        graph.add("file", "f", ["path": folder["d/f"], "state": "exists", "content": content(number), "owner": "root"])
        return graph.text
      }
      let agent = try AgentProcess(folder, graph: graph(0))
      agent.expectConverged()
      let thief = try Running(
        [
          "/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", Self.perl, "-e", Self.thief,
          folder["d"],
          folder["stop"],
        ])
      for number in 1...20 {
        try agent.edit(graph(number))
        agent.expect("a check of edit \(number)") { _ in
          agent.events.count { $0.name == "check-ended" && $0.resource == "file[f]" } > number
        }
      }
      try folder.write("stop", "")
      let stolen = try thief.wait().out
      #expect(poll { folder.read("d/f") == content(20) }, "stolen: \(stolen)")
      var status = stat()
      #expect(lstat(folder["d/f"], &status) == 0 && status.st_uid == 0)
      #expect(try agent.stop().status == 0)
      if agent.diagnosticText.contains("replaced by somebody else") {
        #expect(agent.diagnosticText.contains("find out who else writes"), "\(agent.diagnosticText)")
      }
    }
  }
}
