// swift-tools-version: 6.2
import PackageDescription

// What Swift authors write plugins with. A package of its own because its product is one shared library that all Swift
// plugins of a process use: SwiftPM links a target of the same package into each of them instead.
let package = Package(
  name: "PluginKit",
  products: [.library(name: "MgmtPluginKit", type: .dynamic, targets: ["PluginKit"])],
  dependencies: [.package(path: "../PluginABI")],
  targets: [
    .target(
      name: "PluginKit",
      dependencies: [.product(name: "PluginABI", package: "PluginABI")],
      path: "Sources",
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .treatAllWarnings(as: .error),
      ],
      linkerSettings: [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "$ORIGIN"])]
    )
  ],
  swiftLanguageModes: [.v6]
)
