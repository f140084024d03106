import ArgumentParser
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes

struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Build a lab and leave it running.", aliases: ["deploy"])

    enum Wait: String, ExpressibleByArgument, CaseIterable {
        case ready, converged
    }

    @Argument(
        help: "The lab's folder or file (default: the working directory).", completion: .labFiles)
    var lab: String?
    @OptionGroup var build: BuildOptions
    @OptionGroup var publish: PublishOption
    @Option(help: "Return when services are ready, or only when masters are elected.")
    var wait = Wait.ready

    func run() throws {
        let start = MonotonicClock.now
        let loaded = try publish.apply(to: build.load(LabReference.source(lab)))
        printWarnings(loaded.warnings)
        for warning in HostDoors.warnings(for: loaded.lab) { printError("warning: \(warning)") }
        if let warning = NodeWalls.warning(for: loaded.lab) { printError("warning: \(warning)") }
        let client = try LabLauncher.up(loaded)
        if wait == .converged { try client.awaitConvergence() }
        let took = (MonotonicClock.now - start).text
        printError("lab \(client.name) is up: \(loaded.lab.nodes.count) nodes in \(took)")
        if !loaded.lab.published.isEmpty {
            for port in try client.status().published { printError("published: \(port)") }
        }
    }
}

struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "End a lab and everything in it.", aliases: ["destroy"])

    @Argument(help: "The lab's name, folder or file.", completion: .runningLabs)
    var lab: String?
    @Flag(help: "End every lab that is up.")
    var all = false

    func run() throws {
        if all {
            LabDirectory.sweep()
            for directory in LabDirectory.running() { try end(LabClient(directory)) }
            return
        }
        try end(LabReference.running(lab))
    }

    private func end(_ client: LabClient) throws {
        try client.down()
        printError("lab \(client.name) is down")
    }
}
