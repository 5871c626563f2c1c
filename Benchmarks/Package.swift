// swift-tools-version: 6.2
// A package of its own, so that what the benchmarks need (Foundation) stays out of the agent's.
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "benchmarks",
  targets: [
    .executableTarget(name: "Benchmarks", dependencies: ["HelloSwift"], swiftSettings: settings),
    .executableTarget(name: "HelloSwift", path: "Sources/Hello", swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
