// swift-tools-version: 6.2
import PackageDescription

// The C header third-party plugins are written against. A package of its own, so that PluginKit can be one too.
let package = Package(
  name: "PluginABI",
  products: [.library(name: "PluginABI", targets: ["PluginABI"])],
  targets: [.target(name: "PluginABI", path: ".", exclude: ["Package.swift"], sources: ["src"], publicHeadersPath: "include")]
)
