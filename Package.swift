// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

/// A room: a module of the agent. docs/architecture.md says who may import whom; the lists below are that picture, compiled.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A resource plugin: Plugins/<kind> becomes <kind>.so, which finds the shared libraries one folder up once installed.
func plugin(_ kind: String, _ module: String, _ more: [Target.Dependency] = []) -> Target {
  .target(
    name: module,
    dependencies: [
      .product(name: "MgmtPluginKit", package: "PluginKit"), .product(name: "PluginABI", package: "PluginABI"),
    ] + more,
    path: "Plugins/\(kind)",
    swiftSettings: settings,
    linkerSettings: [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "$ORIGIN:$ORIGIN/.."])]
  )
}

let abi: Target.Dependency = .product(name: "PluginABI", package: "PluginABI")

let package = Package(
  name: "mgmt",
  products: [
    .executable(name: "mgmt", targets: ["mgmt"]),
    .executable(name: "mgmt-guard", targets: ["mgmt-guard"]),
    .library(name: "noop", type: .dynamic, targets: ["NoopPlugin"]),
    .library(name: "file", type: .dynamic, targets: ["FilePlugin"]),
    .library(name: "exec", type: .dynamic, targets: ["ExecPlugin"]),
    .library(name: "print", type: .dynamic, targets: ["PrintPlugin"]),
    .library(name: "svc", type: .dynamic, targets: ["SvcPlugin"]),
    .library(name: "test", type: .dynamic, targets: ["TestPlugin"]),
    .library(name: "timer", type: .dynamic, targets: ["TimerPlugin"]),
    .library(name: "pkg", type: .dynamic, targets: ["PkgPlugin"]),
  ],
  dependencies: [
    .package(path: "Sources/PluginABI"),
    .package(path: "Sources/PluginKit"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .executableTarget(
      name: "mgmt",
      dependencies: [
        "Observability", "Frontends", "PluginHost", "Engine", "Reactor", "Graph", "Values", "Diagnostics",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Host",
      swiftSettings: settings,
      linkerSettings: [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../lib/mgmt"])]
    ),
    .target(
      name: "Frontends", dependencies: ["Reactor", "Graph", "Values", "Diagnostics", "CYAML"],
      swiftSettings: settings,
      linkerSettings: [.linkedLibrary(":libyaml.a")]  // static: the installed tree needs nothing from the distribution
    ),
    room("Observability", ["Engine", "Reactor", "ObservabilityShims", "Graph", "Values", "Diagnostics"]),
    room("PluginHost", ["Engine", "Reactor", "ReactorShims", "Graph", "Values", "Diagnostics", abi]),
    room("Engine", ["Reactor", "Graph", "Values", "Diagnostics"]),
    room("Reactor", ["ReactorShims"]),
    room("Graph", ["Values", "Diagnostics"]),
    room("Values"),
    room("Diagnostics", ["Values"]),
    .target(name: "ReactorShims"),
    // Ends the commands with the agent: a small program of its own, installed as lib/mgmt/guard, with nothing of Swift in it.
    .executableTarget(
      name: "mgmt-guard", dependencies: ["ReactorShims"], path: "Sources/Guard",
      linkerSettings: [.unsafeFlags(["-nostartfiles", "-static-stdlib", "-Xclang-linker", "-Wl,--as-needed"])]
    ),
    .target(name: "FileShims"),
    .target(name: "ObservabilityShims"),
    .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CSystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(name: "CDBus", pkgConfig: "dbus-1", providers: [.apt(["libdbus-1-dev"])]),

    plugin("noop", "NoopPlugin"),
    plugin("file", "FilePlugin", ["FileShims"]),
    plugin("exec", "ExecPlugin"),
    plugin("print", "PrintPlugin"),
    plugin("svc", "SvcPlugin", ["CSystemd"]),
    plugin("test", "TestPlugin"),
    plugin("timer", "TimerPlugin"),
    plugin("pkg", "PkgPlugin", ["CDBus"]),
    // A host of plugins for tests: what they would tell the agent is written down.
    .target(name: "PluginTesting", dependencies: [abi], path: "Tests/PluginTesting", swiftSettings: settings),

    tests("ValuesTests", ["Values"]),
    tests("DiagnosticsTests", ["Diagnostics", "Values"]),
    tests("GraphTests", ["Graph", "Values", "Diagnostics"]),
    tests("ReactorTests", ["Reactor"]),
    tests("EngineTests", ["Engine", "Reactor", "Graph", "Values", "Diagnostics"]),
    tests(
      "ObservabilityTests",
      ["Observability", "ObservabilityShims", "Engine", "Reactor", "Graph", "Values", "Diagnostics"]),
    tests("FrontendsTests", ["Frontends", "Reactor", "Graph", "Values", "Diagnostics"]),
    tests("PluginHostTests", ["PluginHost", "Reactor", "Values", "Diagnostics", abi]),
    tests("FilePluginTests", ["FilePlugin", "FileShims", "PluginTesting", abi]),
    .testTarget(
      name: "SvcPluginTests", dependencies: ["SvcPlugin", .product(name: "MgmtPluginKit", package: "PluginKit")],
      swiftSettings: settings),
    // One test binary holds several plugins, and each exports the same symbol.
    .testTarget(
      name: "ExecPluginTests", dependencies: ["ExecPlugin", .product(name: "MgmtPluginKit", package: "PluginKit")],
      swiftSettings: settings, linkerSettings: [.unsafeFlags(["-Xlinker", "-z", "-Xlinker", "muldefs"])]),
    .testTarget(
      name: "KindPluginTests",
      dependencies: [
        "NoopPlugin", "ExecPlugin", "PrintPlugin", "TestPlugin", "TimerPlugin", "PluginTesting", abi,
        .product(name: "MgmtPluginKit", package: "PluginKit"),
      ],
      swiftSettings: settings, linkerSettings: [.unsafeFlags(["-Xlinker", "-z", "-Xlinker", "muldefs"])]),
    tests("PkgPluginTests", ["PkgPlugin", "CDBus", .product(name: "MgmtPluginKit", package: "PluginKit")]),
    tests("EndToEndTests", []),
  ],
  swiftLanguageModes: [.v6]
)
