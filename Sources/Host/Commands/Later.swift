// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Diagnostics
import Glibc

/// What other versions of the program have and this one does not: named, it is told so, instead of being an unknown word.
enum Later {
  /// What it is part of.
  enum Feature: String {
    case cluster = "hosts do not share a store yet: each runs its own graph"
    case remote = "graphs are not run on other hosts over SSH yet"
    case language = "there is no language yet: graphs are written in YAML"
    case puppet = "Puppet's catalogs are not read yet"
    case hcl = "graphs in HCL were given up long ago: write them in YAML"
    case profiler = "there is no profiler inside: perf can look at the process"
    case setup = "the service's unit comes with the installed tree: lib/systemd/system/mgmt.service"
    case firstBoot = "scripts at the first boot are not run yet"
    case documentation = "`mgmt plugins show KIND --json` describes a kind"
    case tools = "there are no tools yet"
  }

  private static let commands: [String: Feature] = [
    "deploy": .cluster, "d": .cluster, "etcd": .cluster, "get": .language, "g": .language, "fmt": .language, "check": .language,
    "provisioner": .language, "setup": .setup, "firstboot": .firstBoot, "docs": .documentation, "tools": .tools,
  ]

  private static let options: [String: Feature] = [
    "--seeds": .cluster, "--seed": .cluster, "-s": .cluster, "--client-urls": .cluster, "--server-urls": .cluster,
    "--peer-urls": .cluster, "--advertise-client-urls": .cluster, "--advertise-server-urls": .cluster,
    "--advertise-peer-urls": .cluster, "--ideal-cluster-size": .cluster, "--ssh-url": .cluster, "--ssh-hostkey": .cluster,
    "--ssh-id": .cluster, "--pgp-key-path": .cluster, "--pgp-identity": .cluster, "--remote": .remote, "--cconns": .remote,
    "--allow-interactive": .remote, "--ssh-priv-id-rsa": .remote, "--no-caching": .remote, "--depth": .remote,
    "--lang": .language, "-l": .language, "--code": .language, "-c": .language, "--lp-lang": .language, "--puppet": .puppet,
    "-p": .puppet, "--puppet-conf": .puppet, "--lp-puppet": .puppet, "--lp-puppet-conf": .puppet, "--hcl": .hcl,
    "--pprof": .profiler,
  ]

  /// nil: nothing of it is named.
  static func diagnostic(_ arguments: [String]) -> Diagnostic? {
    guard let command = arguments.first else { return nil }
    if let feature = commands[command] { return diagnostic("mgmt \(command)", feature) }
    guard RunCommand.names.contains(command) else { return nil }
    for argument in arguments.dropFirst().prefix(while: { $0 != "--" }) where argument.hasPrefix("-") {
      let name = String(argument.prefix { $0 != "=" })
      if let feature = options[name] { return diagnostic(name, feature) }
    }
    return nil
  }

  fileprivate static func exit(_ words: String, _ feature: Feature) -> ExitCode {
    DiagnosticOutput.write([diagnostic(words, feature)])
    return ExitCode(ExitStatus.failure)
  }

  static func diagnostic(_ words: String, _ feature: Feature) -> Diagnostic {
    Diagnostic(
      "cli.later", "`\(words)` is not in this version yet", notes: [feature.rawValue],
      hint: feature == .hcl || feature == .language ? "`mgmt run yaml FILE` runs a graph" : "`mgmt help` shows what there is")
  }
}

/// `mgmt run lang …`: says that it is not there, whatever follows.
struct RunLanguageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lang", abstract: "Not in this version yet.", shouldDisplay: false)

  @Argument(parsing: .allUnrecognized) var rest: [String] = []

  func run() throws { throw Later.exit("mgmt run lang", .language) }
}

/// `mgmt run puppet …`
struct RunPuppetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "puppet", abstract: "Not in this version yet.", shouldDisplay: false, aliases: ["langpuppet"])

  @Argument(parsing: .allUnrecognized) var rest: [String] = []

  func run() throws { throw Later.exit("mgmt run puppet", .puppet) }
}
