import ArgumentParser
@main struct Mgmt: ParsableCommand { static let configuration = CommandConfiguration(version: "1") }
