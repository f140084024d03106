import ArgumentParser
import LabKit
import LabModel
import LinuxSystem

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Write the lab file of a topology that everybody draws.",
        discussion: """
            Routers forward by static routes, so that every host reaches every other, and the \
            hosts of a network are one entry with a `count`. `labctl generate leaf-spine -o fabric` \
            makes a folder for `labctl up fabric`.
            """,
        subcommands: [Single.self, Linear.self, Tree.self, LeafSpine.self])

    struct Single: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "single", abstract: "Hosts on one network.")
        @Argument(help: "How many.") var hosts: Int
        @OptionGroup var target: Target

        func run() throws { try target.write(.single(hosts: hosts), called: "single-\(hosts)") }
    }

    struct Linear: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "linear",
            abstract: "Routers in a row, each with a network of hosts.")
        @Argument(help: "How many routers.") var routers: Int
        @Option(help: "How many hosts each of them has.") var hosts = 1
        @OptionGroup var target: Target

        func run() throws {
            try target.write(
                .linear(routers: routers, hosts: hosts), called: "linear-\(routers)")
        }
    }

    struct Tree: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "tree",
            abstract: "A tree of routers, hosts below the last of them.")
        @Option(help: "How many levels of routers there are.") var depth = 2
        @Option(help: "How many routers, or hosts in the end, are below each.") var fanout = 2
        @OptionGroup var target: Target

        func run() throws {
            try target.write(
                .tree(depth: depth, fanout: fanout), called: "tree-\(depth)-\(fanout)")
        }
    }

    struct LeafSpine: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "leaf-spine",
            abstract: "Leaves, each with a link to every spine and a network of hosts.")
        @Option(help: "How many spines there are.") var spines = 2
        @Option(help: "How many leaves there are.") var leaves = 4
        @Option(help: "How many hosts each leaf has.") var hosts = 2
        @OptionGroup var target: Target

        func run() throws {
            try target.write(
                .leafSpine(spines: spines, leaves: leaves, hosts: hosts),
                called: "leaf-spine-\(spines)-\(leaves)")
        }
    }

    /// Where a lab file is written.
    struct Target: ParsableArguments {
        @Option(help: "The lab's name.") var name: String?
        @Option(
            name: .shortAndLong,
            help: ArgumentHelp(
                "The folder that the lab file is written into (default: standard output).",
                valueName: "folder"))
        var output: String?

        func write(_ topology: GeneratedLab.Topology, called name: String) throws {
            let lab: GeneratedLab
            do {
                lab = try GeneratedLab(topology, name: self.name ?? name)
            } catch {
                throw ValidationError("\(error)")
            }
            guard let output else { return printLine(String(lab.yaml.dropLast())) }
            let path = "\(output)/lab.yaml"
            guard !FileSystem.exists(path) else {
                throw LabError.failed("\(path) is there already: name another folder")
            }
            do {
                try FileSystem.makeFolders(output)
                try FileSystem.write(Array(lab.yaml.utf8), to: path)
            } catch {
                throw LabError.failed("\(path) is not written: \(error)")
            }
            printLine(path)
        }
    }
}
